#!/usr/bin/env bash
# Checks what a compiler does not; changes nothing. Usage: scripts/lint.sh
set -uo pipefail
cd "$(dirname "$0")/.."
export LC_ALL=C.UTF-8
failed=0

fail() { # TEXT; the findings are on the standard input
    echo "lint: $1" >&2
    sed 's/^/  /' >&2
    failed=1
}

report() { # TEXT FINDINGS
    if [[ -n "$2" ]]; then fail "$1" <<<"$2"; fi
}

imports() { # FOLDER: file:line:module of every import below it
    local before='^\s*(@\w+(\(\w+\))? )*((public|package|internal|private|fileprivate) )?'
    grep -rnoP "${before}import (struct |class |enum |func )?\K\w+" --include='*.swift' "$1"
}

findings=$(scripts/swift-files.sh | xargs -0 swift format lint --strict --parallel 2>&1)
report "the format is not that of .swift-format (make format mends most of it)" "$findings"

# Purity is a rule of imports: these two open no socket, file or clock.
findings=$(imports Sources/Spec | grep -vP ':(CYaml|Yams|Crypto|Spec)$')
report "Spec may import Yams and Crypto only" "$findings"
findings=$(imports Sources/ManagerCore | grep -vP ':(Spec|DequeModule|HeapModule)$')
report "ManagerCore may import Spec and collections only" "$findings"
findings=$(imports Sources/Reconciler \
    | grep -vP ':(Spec|ManagerCore|Logging|Synchronization|DequeModule|HeapModule)$')
report "Reconciler may import Spec, ManagerCore, Logging and collections only" "$findings"
findings=$(imports Sources/WebSocket | grep -P ':(Spec|ManagerCore|Manager|Reconciler)$')
report "WebSocket knows nothing of wsm" "$findings"
findings=$(imports Sources/Gateway \
    | grep -P ':(Spec|ManagerCore|Manager|Reconciler|WebSocket|Access|ServerSettings)$')
report "Gateway knows the contract only" "$findings"
findings=$(imports Sources/Dapr \
    | grep -P ':(Spec|ManagerCore|Manager|ManagerAPI|Reconciler|WebSocket|Gateway|Access|ServerSettings)$')
report "Dapr knows nothing of wsm" "$findings"
findings=$(imports Sources | grep -vP '^Sources/(TestKit|Simulation|wsm-sim)/' \
    | grep -P ':(TestKit|Simulation|Feed|Testing|XCTest)$')
report "nothing shipped imports what is for tests" "$findings"
findings=$(imports Sources/Simulation | grep -vP ':ManagerCore$')
report "Simulation may import ManagerCore only" "$findings"

files=$(git ls-files --cached --others --exclude-standard -- . ':!Sources/*/Generated/*' \
    ':!Tests/Fixtures' ':!Fuzz/corpora')
findings=$(grep -nIP '\b(TODO|FIXME|XXX|HACK)\b|^(<{7}|>{7}|={7})( |$)' $files \
    | grep -v '^scripts/lint.sh:')
report "a marker was left over" "$findings"
# swift format lets comments and literals pass.
findings=$(grep -nIP '^.{121,}' $(grep -P '\.(swift|sh|proto|py)$' <<<"$files") | cut -c1-160)
report "a line is longer than 120 columns" "$findings"
findings=$(grep -nIP '\s+$' $(grep -vP '\.(expected|yaml|json)$|^LICENSE$' <<<"$files") | cut -c1-120)
report "blanks at the end of a line" "$findings"

# Every relative link of the documents leads to a file.
findings=$(for page in $(grep '\.md$' <<<"$files"); do
    grep -oP '\]\(\K[^)#]+' "$page" | grep -v '://' | while read -r target; do
        [[ -e "$(dirname "$page")/$target" ]] || echo "$page: $target"
    done
done)
report "a link leads nowhere" "$findings"

[[ $failed -eq 0 ]] && echo "lint: nothing found"
exit $failed
