#!/usr/bin/env bash
# Drives the built programs with independent peers: gRPC of Python, WebSocket of Python, node and
# libwebsockets, nats-server, mosquitto, redis-server, openssl and nghttp2.
#
#   scripts/interop.sh [pytest arguments]
#
# WSM_BIN is the directory with wsm-server, wsm-apply and wsm-feed (default .build/debug).
set -euo pipefail

[[ -z "${WSM_BIN:-}" ]] || WSM_BIN=$(realpath "$WSM_BIN")
cd "$(dirname "$0")/.."
export WSM_BIN="${WSM_BIN:-$PWD/.build/debug}"
export PYTHONDONTWRITEBYTECODE=1
environment=.build-interop/venv

for program in wsm-server wsm-apply wsm-feed; do
    if [[ ! -x "$WSM_BIN/$program" ]]; then
        echo "interop: $WSM_BIN/$program is not there: build first, or set WSM_BIN" >&2
        exit 1
    fi
done

have() { command -v "$1" >/dev/null || [[ -x "/usr/sbin/$1" ]]; }

# What Debian has and this machine lacks.
packages=()
have nats-server || packages+=(nats-server)
have mosquitto || packages+=(mosquitto)
have mosquitto_pub || packages+=(mosquitto-clients)
have redis-server || packages+=(redis-server)
have openssl || packages+=(openssl)
have libwebsockets-test-server || packages+=(libwebsockets-test-server)
have node || packages+=(nodejs)
[[ -e /usr/share/nodejs/ws || -e /usr/lib/nodejs/ws ]] || packages+=(node-ws)
have h2load && have nghttp || packages+=(nghttp2-client)
for header in yaml.h openssl/ssl.h nghttp2/nghttp2.h; do
    if ! compgen -G "/usr/include/$header" >/dev/null \
        && ! compgen -G "/usr/include/*/$header" >/dev/null; then
        case $header in
        yaml.h) packages+=(libyaml-dev) ;;
        openssl/*) packages+=(libssl-dev) ;;
        nghttp2/*) packages+=(libnghttp2-dev) ;;
        esac
    fi
done
have python3 || packages+=(python3)
python3 -c 'import ensurepip, venv' 2>/dev/null || packages+=(python3-venv)
if ((${#packages[@]})); then
    run=()
    if [[ $(id -u) -ne 0 ]]; then
        have sudo || { echo "interop: please install ${packages[*]}" >&2; exit 1; }
        run=(sudo)
    fi
    echo "interop: installing ${packages[*]}" >&2
    "${run[@]}" apt-get update -qq
    # Their services must not start: the tests have servers of their own.
    "${run[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 \
        apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
fi

# Python's packages, in an environment of their own; made again when the list changes.
wanted=$(sha256sum Tests/Interop/requirements.txt | cut -d' ' -f1)
if [[ "$(cat "$environment/requirements" 2>/dev/null || true)" != "$wanted" ]]; then
    rm -rf "$environment"
    python3 -m venv "$environment"
    "$environment/bin/pip" install --quiet --disable-pip-version-check \
        -r Tests/Interop/requirements.txt
    echo "$wanted" >"$environment/requirements"
fi

# The last line is pytest's: N passed. The stubs are compiled from Protos at its start.
cd Tests/Interop
exec "../../$environment/bin/python" -m pytest -q "$@"
