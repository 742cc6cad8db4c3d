#!/usr/bin/env bash
# Everything that has to pass, from a fresh clone on. Usage: scripts/test.sh
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh
scripts/lint.sh

log=$(mktemp)
trap 'rm -f "$log"' EXIT

echo "building; the first time this takes some minutes"
if ! swift build --build-tests >"$log" 2>&1; then
    grep -E 'error:|warning:' "$log" | sort -u | head -50 >&2 || tail -50 "$log" >&2
    exit 1
fi
grep -E "^$PWD/.*warning:" "$log" | sort -u || true

# A target at a time: a thousand tests at once leave a test that waits for a fact no time to see it.
# One line for each suite and each failure; every test's own line only in the log.
failed=()
for target in Tests/*Tests; do
    target=${target#Tests/}
    echo "$target"
    status=0
    swift test --skip-build --filter "^$target\\." >"$log" 2>&1 || status=$?
    grep -aE 'recorded an issue|Suite .* (passed|failed)|Test run with|error:|Fatal error|signal' "$log" || true
    if [[ $status -ne 0 ]]; then
        echo "swift test failed with status $status in $target; its last lines:" >&2
        tail -40 "$log" >&2
        failed+=("$target")
    fi
done
if ((${#failed[@]})); then
    echo "failed: ${failed[*]}" >&2
    exit 1
fi

scripts/interop.sh
