#!/usr/bin/env bash
# Runs the simulation of the ownership protocol, optimised. Usage: scripts/sim.sh
# SEEDS=N (1000) from FIRST=N (1) on, on JOBS=N threads (all cores); SEED=N runs one seed and prints
# its trace; WITHOUT=RULE switches a rule off, to see the simulation notice.
set -euo pipefail
cd "$(dirname "$0")/.."

log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! swift build -c release --product wsm-sim >"$log" 2>&1; then
    tail -40 "$log" >&2
    exit 1
fi
args=(--jobs "${JOBS:-$(nproc)}")
if [[ -n "${SEED:-}" ]]; then
    args+=(--seed "$SEED")
else
    args+=(--seeds "${SEEDS:-1000}" --first "${FIRST:-1}")
fi
[[ -n "${WITHOUT:-}" ]] && args+=(--without "$WITHOUT")
exec "$(swift build -c release --show-bin-path)/wsm-sim" "${args[@]}"
