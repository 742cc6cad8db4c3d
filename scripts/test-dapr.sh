#!/usr/bin/env bash
# Runs the tests of state and messages on Dapr against a sidecar that is running already.
#
#   DAPR_GRPC_PORT=50001 DAPR_HTTP_PORT=3500 scripts/test-dapr.sh [pytest arguments]
#
# Its components are called statestore and pubsub; deploy/dapr has such. What needs the switches of the
# stand-in is skipped, and counted in the last line.
set -euo pipefail
cd "$(dirname "$0")/.."
: "${DAPR_GRPC_PORT:?is the gRPC port of the sidecar}"
export DAPR_TEST_GRPC_PORT=$DAPR_GRPC_PORT
export DAPR_TEST_HTTP_PORT=${DAPR_HTTP_PORT:-3500}
# The servers under test are told by flags.
unset DAPR_GRPC_PORT DAPR_HTTP_PORT DAPR_GRPC_ENDPOINT DAPR_HTTP_ENDPOINT

scripts/setup.sh
swift build >/dev/null
tests=(test_dapr_wire.py test_dapr_state.py test_dapr_server.py test_dapr_bus.py test_spill.py)
exec scripts/interop.sh "${tests[@]}" "$@"
