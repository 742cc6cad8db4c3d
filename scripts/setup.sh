#!/usr/bin/env bash
# Installs the system packages the build needs and lacks; silent when nothing is missing.
# Debian and Ubuntu. Usage: scripts/setup.sh
set -euo pipefail

if ! command -v swift >/dev/null; then
    echo "swift is missing: install Swift 6.2 or later (https://www.swift.org/install/linux/)" >&2
    exit 1
fi

# The build includes and links SQLite (the state) and zlib (compression); git fetches the
# Swift packages.
missing=()
command -v git >/dev/null || missing+=(git)
[[ -e /usr/include/sqlite3.h ]] || missing+=(libsqlite3-dev)
[[ -e /usr/include/zlib.h ]] || missing+=(zlib1g-dev)
[[ ${#missing[@]} -eq 0 ]] && exit 0

if ! command -v apt-get >/dev/null; then
    echo "these packages (by their Debian names) are missing: ${missing[*]}" >&2
    exit 1
fi
as_root=()
if [[ $(id -u) -ne 0 ]]; then
    if ! command -v sudo >/dev/null; then
        echo "please install as root: apt-get install ${missing[*]}" >&2
        exit 1
    fi
    as_root=(sudo)
fi
echo "installing with apt-get: ${missing[*]}"
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
