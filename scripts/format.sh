#!/usr/bin/env bash
# Brings all Swift sources but the generated ones into the format of .swift-format.
# Usage: scripts/format.sh
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/swift-files.sh | xargs -0 swift format format --parallel --in-place
