#!/usr/bin/env bash
# Runs the unit tests with a sanitizer, in a build of its own (.build-thread, .build-address).
# Usage: scripts/test-sanitized.sh thread|address [TARGET...]; without targets, all.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh
sanitizer=${1:?thread or address}
shift
build=.build-$sanitizer
targets=("$@")
if ((${#targets[@]} == 0)); then
    for folder in Tests/*Tests; do targets+=("${folder#Tests/}"); done
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
echo "building with the $sanitizer sanitizer; the first time this takes many minutes"
if ! swift build --build-tests --scratch-path "$build" --sanitize "$sanitizer" >"$log" 2>&1; then
    grep -E 'error:' "$log" | sort -u | head -20 >&2 || true
    tail -20 "$log" >&2
    exit 1
fi
# What the sanitizer calls a leak is what Swift's runtime keeps for good.
export ASAN_OPTIONS=detect_leaks=0
preload=
if [[ $sanitizer == thread ]]; then
    preload=$PWD/$build/tsan-mutex.so
    export TSAN_OPTIONS=suppressions=$PWD/scripts/tsan-suppressions.txt
    # By the toolchain's own compiler: another does not know Swift's calling convention.
    "$(dirname "$(readlink -f "$(command -v swift)")")/clang" -O1 -shared -fPIC \
        -o "$preload" scripts/tsan-mutex.c
fi
failed=()
for target in "${targets[@]}"; do
    echo "$target"
    status=0
    # One after the other: ten times slower and all at once, tests do not keep their times.
    LD_PRELOAD=$preload swift test --skip-build --no-parallel --scratch-path "$build" \
        --sanitize "$sanitizer" --filter "^$target\\." >"$log" 2>&1 || status=$?
    grep -aE 'recorded an issue|Test run with|SUMMARY: |error:|Fatal error' "$log" || true
    if [[ $status -ne 0 ]] || grep -qa 'SUMMARY: ' "$log"; then
        cp "$log" "$build/$target.log"
        echo "failed; its output is in $build/$target.log" >&2
        failed+=("$target")
    fi
done
((${#failed[@]} == 0)) || { echo "failed: ${failed[*]}" >&2; exit 1; }
