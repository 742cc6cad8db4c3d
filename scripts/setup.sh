#!/usr/bin/env bash
# Installs the system packages that are missing; silent when nothing is. Debian and Ubuntu.
# Usage: scripts/setup.sh [test]      `test`: also what the tests against real servers need
set -euo pipefail

if ! command -v swift >/dev/null; then
    echo "swift is missing: install Swift 6.2 or later (https://www.swift.org/install/linux/)" >&2
    exit 1
fi

# What the build includes and links: SQLite (the state) and zlib (gRPC's compression). git fetches
# the Swift packages.
packages=(git libsqlite3-dev zlib1g-dev)
if [[ "${1:-}" == test ]]; then
    # A NATS server and an MQTT broker to dial, its clients, and Python for the gRPC client.
    packages+=(nats-server mosquitto mosquitto-clients python3 python3-venv)
fi

has() { # PACKAGE: a program of that name counts too, wherever it was installed from
    dpkg -s "$1" 2>/dev/null | grep -q '^Status: .* installed$' \
        || PATH="$PATH:/usr/sbin:/sbin" command -v "$1" >/dev/null
}

missing=()
for package in "${packages[@]}"; do
    case "$package" in
        mosquitto-clients) command -v mosquitto_pub >/dev/null || missing+=("$package") ;;
        python3-venv) python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=("$package") ;;
        *) has "$package" || missing+=("$package") ;;
    esac
done
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
# No service is started: the tests and examples bring their own.
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
    apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
