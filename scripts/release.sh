#!/usr/bin/env bash
# Builds the three programs with optimisation and the Swift runtime in them, stripped, their man
# pages, and the Debian package of them, into dist/. Usage: scripts/release.sh
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh
programs=(wsm-server wsm-apply wsm-feed)
# Everything is compiled once; a first build takes many minutes on two cores.
for program in "${programs[@]}"; do
    swift build -c release --static-swift-stdlib --product "$program"
done
bin=$(swift build -c release --static-swift-stdlib --show-bin-path)
rm -rf dist
mkdir -p dist
for program in "${programs[@]}"; do
    install -m 755 "$bin/$program" "dist/$program"
    strip "dist/$program"
done
WSM_BIN=dist scripts/man.sh >/dev/null
if command -v dpkg-deb >/dev/null; then scripts/package.sh; fi
ls -l dist
