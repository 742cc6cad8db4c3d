#!/usr/bin/env bash
# Prints the names of all Swift sources but the generated ones, each ended by NUL.
# Usage: scripts/swift-files.sh
set -euo pipefail
cd "$(dirname "$0")/.."
roots=(Package.swift)
for folder in Sources Tests examples Benchmarks Fuzz; do [[ -d $folder ]] && roots+=("$folder"); done
find "${roots[@]}" \( -name .build -o -name Generated \) -prune -o -name '*.swift' -print0 | sort -z
