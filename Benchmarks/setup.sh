#!/usr/bin/env bash
# Builds the load sources, the peers and the sinks into .build-bench/. Debian; as root, or with sudo.
# Usage: Benchmarks/setup.sh
set -euo pipefail
cd "$(dirname "$0")"
out=../.build-bench
mkdir -p "$out"

go_packages=/usr/share/gocode/src
missing=()
command -v gcc >/dev/null || missing+=(gcc libc6-dev)
command -v go >/dev/null || missing+=(golang-go)
[[ -d $go_packages/github.com/gorilla/websocket ]] || missing+=(golang-github-gorilla-websocket-dev)
[[ -d $go_packages/google.golang.org/grpc ]] || missing+=(golang-google-grpc-dev)
command -v node >/dev/null || missing+=(nodejs)
command -v redis-server >/dev/null || missing+=(redis-server)
command -v valgrind >/dev/null || missing+=(valgrind)
python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3-venv)
if ((${#missing[@]})); then
    as_root=()
    [[ $(id -u) -eq 0 ]] || as_root=(sudo)
    "${as_root[@]}" apt-get update -qq
    "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi

gcc -O2 -Wall -o "$out/wssrc" source/wssrc.c
gcc -O2 -Wall -o "$out/floor" peers/floor.c
for program in peers/gorilla peers/bridge peers/dapr_bridge source/tlsfront source/caller \
    sinks/subscriber sinks/sidecar; do
    GO111MODULE=off GOPATH=/usr/share/gocode go build -o "$out/${program##*/}" "./$program"
done

# Only the files of Debian's package: its dependency on Debian's node would replace another one.
if [[ ! -d $out/node/usr/share/nodejs/ws ]]; then
    mkdir -p "$out/node"
    (cd "$out/node" && apt-get download -qq node-ws && dpkg -x node-ws_*.deb .)
fi
if [[ ! -x $out/venv/bin/python ]]; then
    python3 -m venv "$out/venv"
    "$out/venv/bin/pip" install --quiet --disable-pip-version-check \
        uvloop==0.22.1 picows==2.3.1 websockets==17.4
fi
