#!/usr/bin/env bash
# Instructions that a message costs in the codec, counted by callgrind: the figure that does not
# depend on the host's load. Compares with Benchmarks/thresholds/codec.txt and fails above it.
# Usage: Benchmarks/instructions.sh [--rewrite]
#
# A run of N messages and one of twice as many differ by N messages: what starting costs falls away.
set -euo pipefail
export LC_ALL=C
cd "$(dirname "$0")/.."
rewrite=${1:-}
thresholds=Benchmarks/thresholds/codec.txt
WSM_CODEC_BENCH=1 swift build -c release --scratch-path .build-bench/codec \
    --product wsm-codec-bench -Xswiftc -enable-testing >&2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Older valgrinds stumble over the compiler's debug information.
program=$work/wsm-codec-bench
strip -o "$program" .build-bench/codec/release/wsm-codec-bench

count() { # CASE MESSAGES: instructions of the whole run
    valgrind --tool=callgrind --callgrind-out-file="$work/out" \
        "$program" --case "$1" --messages "$2" >"$work/log" 2>&1 \
        || { cat "$work/log" >&2; return 1; }
    awk '/^(summary|totals):/ { print $2; exit }' "$work/out"
}

failed=0
: >"$work/new"
printf '%-12s%10s%16s%12s\n' case messages instructions/msg limit
while read -r name messages limit; do
    if [[ -z $name || $name == \#* ]]; then
        echo "$name${messages:+ $messages}${limit:+ $limit}" >>"$work/new"
        continue
    fi
    once=$(count "$name" "$messages")
    twice=$(count "$name" $((2 * messages)))
    cost=$(((twice - once) / messages))
    verdict=
    if [[ $rewrite == --rewrite ]]; then
        # A twentieth of room: compilers of one version differ by less.
        limit=$((cost + cost / 20 + 1))
    elif ((cost > limit)); then
        verdict='  ABOVE THE LIMIT'
        failed=1
    fi
    printf '%-12s%10s%16s%12s%s\n' "$name" "$messages" "$cost" "$limit" "$verdict"
    echo "$name $messages $limit" >>"$work/new"
done <"$thresholds"
if [[ $rewrite == --rewrite ]]; then cp "$work/new" "$thresholds"; fi
exit $failed
