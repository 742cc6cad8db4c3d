#!/usr/bin/env bash
# Generates Sources/ManagerAPI/Generated from Protos. Usage: scripts/proto.sh
# Needs protoc (Debian: protobuf-compiler); the Swift plugins are built from the package's own
# dependencies.
set -euo pipefail
cd "$(dirname "$0")/.."

command -v protoc >/dev/null || { echo "protoc is missing: apt-get install protobuf-compiler" >&2; exit 1; }
swift build --product protoc-gen-swift
swift build --product protoc-gen-grpc-swift-2
bin=$(swift build --show-bin-path)

out=Sources/ManagerAPI/Generated
rm -rf "$out"
mkdir -p "$out"
protoc -I Protos \
    --plugin=protoc-gen-swift="$bin/protoc-gen-swift" \
    --plugin=protoc-gen-grpc-swift="$bin/protoc-gen-grpc-swift-2" \
    --swift_out="$out" --swift_opt=Visibility=Package,UseAccessLevelOnImports=true,FileNaming=DropPath \
    --grpc-swift_out="$out" \
    --grpc-swift_opt=Visibility=Package,UseAccessLevelOnImports=true,Server=true,Client=true,FileNaming=DropPath \
    virtufin/websocketmanager.proto wsm/v1/orchestrator.proto
