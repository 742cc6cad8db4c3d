#!/usr/bin/env bash
# Fuzzes one of our readers with libFuzzer, optimised and with AddressSanitizer.
#
#   TARGET=codec|inflate|handshake|manifest SECONDS_LONG=60 scripts/fuzz.sh [libFuzzer arguments]
#
# Begins with Fuzz/corpora/TARGET; what it finds on the way is kept in .build-fuzz/corpora/TARGET, an
# input that breaks something in .build-fuzz/found/. MERGE=1 writes the smallest set of inputs with
# the same coverage back to Fuzz/corpora/TARGET instead.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh
target=${TARGET:?TARGET is one of codec, inflate, handshake, manifest}
seconds=${SECONDS_LONG:-60}
[[ -d Fuzz/corpora/$target ]] || { echo "fuzz: there is no target $target" >&2; exit 2; }

log=$(mktemp)
trap 'rm -f "$log"' EXIT
echo "fuzz: building; the first time this takes many minutes"
# A debug build, optimised: with the checks of one, at the speed of the other. Not by --sanitize: of two
# sanitizers it hands over, the compiler takes one, by chance.
if ! WSM_FUZZ=1 swift build --scratch-path .build-fuzz --product wsm-fuzz -Xswiftc -O \
    -Xswiftc -enable-testing -Xswiftc -sanitize=fuzzer,address -Xswiftc -use-ld=lld \
    -Xcc -fsanitize=fuzzer-no-link,address >"$log" 2>&1; then
    grep -E 'error:' "$log" | sort -u | head -20 >&2 || true
    tail -20 "$log" >&2
    exit 1
fi

found=.build-fuzz/found corpus=.build-fuzz/corpora/$target
mkdir -p "$found" "$corpus"
program=.build-fuzz/debug/wsm-fuzz
# What the sanitizer calls a leak is what Swift's runtime keeps for good, and what the runtime's own
# crash handler reads is an error to the sanitizer.
export ASAN_OPTIONS=detect_leaks=0 SWIFT_BACKTRACE=enable=no WSM_FUZZ_TARGET=$target
if [[ -n "${MERGE:-}" ]]; then
    merged=$(mktemp -d)
    "$program" -merge=1 -max_len=512 "$merged" "Fuzz/corpora/$target" "$corpus"
    rm -rf "Fuzz/corpora/$target"
    mv "$merged" "Fuzz/corpora/$target"
    chmod 755 "Fuzz/corpora/$target"
    exit
fi
exec "$program" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=4096 \
    -artifact_prefix="$found/$target-" -print_final_stats=1 "$@" "$corpus" "Fuzz/corpora/$target"
