#!/usr/bin/env bash
# Writes the manual pages of the three programs, compressed, into dist/man/man1 and man8. They are
# made from what the programs say of their own arguments.
# Usage: scripts/man.sh      WSM_BIN is the directory of the programs (default .build/debug).
set -euo pipefail
[[ -z "${WSM_BIN:-}" ]] || WSM_BIN=$(realpath "$WSM_BIN")
cd "$(dirname "$0")/.."
bin=${WSM_BIN:-.build/debug}

command -v python3 >/dev/null || { echo "man: python3 is missing" >&2; exit 1; }
version=$("$bin/wsm-apply" --version)
rm -rf dist/man
for entry in wsm-apply:1 wsm-feed:1 wsm-server:8; do
    program=${entry%:*} section=${entry#*:}
    mkdir -p "dist/man/man$section"
    page=dist/man/man$section/$program.$section
    "$bin/$program" --experimental-dump-help | python3 scripts/man.py "$section" "$version" >"$page"
    # Without name and time, so that equal pages are equal files.
    gzip -9n "$page"
    echo "$page.gz"
done
