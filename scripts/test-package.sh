#!/usr/bin/env bash
# Installs the package of dist/ in a clean Debian root, starts the server there as the unit would,
# applies, and purges. Needs root and Debian's archive. Usage: scripts/test-package.sh
set -euo pipefail
cd "$(dirname "$0")/.."

package=$(ls -t dist/wsm_*.deb 2>/dev/null | head -1)
[[ -n "$package" ]] || { echo "test-package: no package in dist/: make release" >&2; exit 1; }
[[ $(id -u) -eq 0 ]] || { echo "test-package: run as root: it makes a root of its own" >&2; exit 1; }
if ! command -v debootstrap >/dev/null; then
    apt-get update -qq && apt-get install -y -qq --no-install-recommends debootstrap >/dev/null
fi

codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
# The archive that this machine installs from, whatever its name is.
mirror=$(apt-get indextargets --format '$(SITE)' "Created-By: Packages" | grep -v security | head -1)
root=$(mktemp -d "${TMPDIR:-/tmp}/wsm-root.XXXXXX")
# It becomes / of users that are not root.
chmod 755 "$root"
pids=()
stop() {
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    umount "$root/proc" 2>/dev/null || true
    rm -rf "$root"
}
trap stop EXIT
say() { echo "==> $*"; }
inside() { chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 "$@"; }

say "debootstrap $codename"
debootstrap --variant=minbase "$codename" "$root" "$mirror" >"$root.log" 2>&1 \
    || { tail -5 "$root.log" >&2; exit 1; }
rm -f "$root.log"
mount -t proc proc "$root/proc"
# What this machine's apt knows of proxies and certificates, the clean one needs too.
cp -a /etc/apt/apt.conf.d/. "$root/etc/apt/apt.conf.d/" 2>/dev/null || true
[[ -d /etc/ssl/certs ]] && mkdir -p "$root/etc/ssl" && cp -aL /etc/ssl/certs "$root/etc/ssl/" 2>/dev/null || true

say "install"
cp "$package" "$root/tmp/wsm.deb"
inside env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends /tmp/wsm.deb \
    >"$root/tmp/install.log" 2>&1 || { tail -20 "$root/tmp/install.log" >&2; exit 1; }
inside getent passwd wsm
inside stat -c '%U:%G %a %n' /etc/wsm /etc/wsm/server.yaml
inside test -f /usr/share/man/man8/wsm-server.8.gz
inside test -f /usr/share/bash-completion/completions/wsm-apply
inside wsm-apply version --client
if command -v systemd-analyze >/dev/null; then
    # This machine lacks the program that the unit starts; nothing else may be said of it.
    said=$(systemd-analyze verify --man=no "$root/usr/lib/systemd/system/wsm-server.service" 2>&1 \
        | grep -v 'wsm-server is not executable' || true)
    [[ -z "$said" ]] || { echo "test-package: $said" >&2; exit 1; }
fi

say "start, as the unit does: user wsm, its state directory, told when it is ready"
inside install -d -o wsm -g wsm -m 0700 /var/lib/wsm
notify=$root/var/lib/wsm/notify
python3 - "$notify" >"$root/tmp/notified" <<'PYTHON' &
import os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1]); os.chmod(sys.argv[1], 0o777)
while True:
    print(s.recv(4096).decode().replace("\n", " "), flush=True)
PYTHON
pids+=($!)
for _ in {1..50}; do [[ -S $notify ]] && break; sleep 0.1; done
inside wsm-feed --port 19100 >"$root/tmp/feed.log" 2>&1 &
pids+=($!)
inside setpriv --reuid=wsm --regid=wsm --clear-groups --no-new-privs \
    env NOTIFY_SOCKET=/var/lib/wsm/notify \
    wsm-server --config /etc/wsm/server.yaml --grpc-port 15002 --http-port 15001 \
    >"$root/tmp/server.log" 2>&1 &
server=$!
pids+=($server)
for _ in {1..300}; do
    grep -q READY=1 "$root/tmp/notified" && break
    kill -0 $server 2>/dev/null || break
    sleep 0.1
done
grep READY=1 "$root/tmp/notified" || { cat "$root/tmp/server.log" >&2; exit 1; }

say "apply"
cat >"$root/tmp/connection.yaml" <<'YAML'
apiVersion: wsm.virtufin.com/v1
kind: Connection
metadata: {name: ticker}
spec: {url: "ws://127.0.0.1:19100/ticker", topic: ticks}
YAML
inside env WSM_SERVER=127.0.0.1:15002 wsm-apply -f /tmp/connection.yaml --wait=FirstMessage --timeout 30s
inside env WSM_SERVER=127.0.0.1:15002 wsm-apply get
kill -TERM "$(pgrep -f 'wsm-server --config /etc/wsm/server.yaml --grpc-port 15002' | tail -1)"
wait $server || { echo "test-package: the server ended with $?" >&2; cat "$root/tmp/server.log" >&2; exit 1; }
grep STOPPING=1 "$root/tmp/notified"

say "remove keeps the state, purge takes it"
inside apt-get remove -y -qq wsm >/dev/null 2>&1
inside test -f /var/lib/wsm/state.sqlite
inside test ! -e /usr/bin/wsm-server
inside env DEBIAN_FRONTEND=noninteractive apt-get purge -y -qq wsm >/dev/null 2>&1
inside test ! -e /var/lib/wsm
inside test ! -e /etc/wsm
if inside getent passwd wsm; then echo "test-package: the user wsm is left" >&2; exit 1; fi
say "the package installs, starts, applies, and leaves nothing"
