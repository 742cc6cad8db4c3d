#!/usr/bin/env bash
# Builds, starts wsm-feed and wsm-server on loopback, applies examples/quickstart, waits until its
# connections are Ready and shows them and their messages until Ctrl-C.
# Usage: scripts/run.sh      WSM_RUN_SECONDS=N ends by itself after N seconds of showing, exit 0.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${WSM_RUN_SECONDS:-}
if [[ -n "$seconds" && ! "$seconds" =~ ^[0-9]+$ ]]; then
    echo "WSM_RUN_SECONDS is \"$seconds\": a whole number of seconds is wanted" >&2
    exit 2
fi
if [[ -t 1 ]]; then is_terminal=1; else is_terminal=; fi

say() { echo "==> $*"; }

scripts/setup.sh
bin=$(swift build --show-bin-path)
if [[ ! -x "$bin/wsm-server" ]]; then
    say "building (debug, which is the quickest to build): the first time this fetches the"
    say "dependencies and takes about seven minutes on two cores; later only what has changed"
else
    say "building what has changed"
fi
# Progress is for a terminal; a log gets errors only.
if [[ -n "$is_terminal" ]]; then quiet=(); else quiet=(--quiet); fi
for program in wsm-feed wsm-server wsm-apply; do
    swift build "${quiet[@]}" --product "$program"
done

work=$(mktemp -d "${TMPDIR:-/tmp}/wsm-run.XXXXXX")
pids=()
tails=()
stop() {
    trap '' INT TERM
    # The server before the feed: it closes its sockets in order, towards a feed that answers.
    for pid in "${tails[@]}" "${pids[@]}"; do
        kill "$pid" 2>/dev/null || true
        # Longer than the server's --drain-timeout.
        for _ in {1..150}; do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
        kill -KILL "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    rm -rf "$work"
}
trap stop EXIT
trap 'exit 0' INT TERM

is_taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Starts a program and waits until its log says where it listens. Sets `port`.
start() { # NAME PATTERN COMMAND...
    local name=$1 pattern=$2 log="$work/$1.log"
    shift 2
    # A process group of its own: Ctrl-C reaches this script only, which stops things in order.
    setsid "$@" >"$log" 2>&1 &
    local pid=$!
    pids=("$pid" "${pids[@]}")
    for _ in {1..300}; do
        port=$(sed -nE "s/$pattern/\1/p" "$log" | head -1)
        [[ -n "$port" ]] && return
        if ! kill -0 "$pid" 2>/dev/null; then break; fi
        sleep 0.1
    done
    echo "$name did not start; it says:" >&2
    cat "$log" >&2
    exit 1
}

# The default ports, or any free ones where they are taken.
feed_port=9100
is_taken "$feed_port" && feed_port=0
start wsm-feed '^wsm-feed listens on ws:.*:([0-9]+)$' "$bin/wsm-feed" --port "$feed_port"
feed_port=$port
grpc_port=5002
is_taken "$grpc_port" && grpc_port=0
http_port=5001
is_taken "$http_port" && http_port=0
start wsm-server '.* grpc=[^ ]*:([0-9]+) .*ready$' \
    "$bin/wsm-server" --grpc-port "$grpc_port" --http-port "$http_port" --data-dir "$work/data"
export WSM_SERVER=127.0.0.1:$port
say "wsm-feed listens on 127.0.0.1:$feed_port, wsm-server on $WSM_SERVER, state in $work/data"

mkdir "$work/quickstart"
for file in examples/quickstart/*.yaml; do
    sed "s/127\.0\.0\.1:9100/127.0.0.1:$feed_port/" "$file" >"$work/quickstart/${file##*/}"
done
say "wsm-apply -f examples/quickstart --wait=Ready"
"$bin/wsm-apply" -f "$work/quickstart" --wait=Ready --timeout 60s

say "wsm-apply tail ticks.btc --count 3"
"$bin/wsm-apply" tail ticks.btc --count 3
say "wsm-apply send rpc '{\"method\":\"add\",\"params\":[1,2]}'"
"$bin/wsm-apply" send rpc '{"method":"add","params":[1,2]}'
echo

say "in another shell: WSM_SERVER=$WSM_SERVER $bin/wsm-apply get"
say "Ctrl-C stops everything"
# On a terminal the messages go to a file, of which the view shows the end.
messages=$work/messages.log
: >"$messages"
if [[ -n "$is_terminal" ]]; then exec {out}>>"$messages"; else out=1; fi
for topic in ticks.btc ticks.eth websocketmanager.lifecycle; do
    setsid "$bin/wsm-apply" tail --quiet --timestamps "$topic" >&"$out" 2>/dev/null &
    tails+=($!)
done

end=$((SECONDS + ${seconds:-0}))
while [[ -z "$seconds" || $SECONDS -lt $end ]]; do
    if ! table=$("$bin/wsm-apply" get 2>&1); then
        echo "wsm-server does not answer: $table" >&2
        exit 1
    fi
    if [[ -n "$is_terminal" ]]; then
        # One screen, drawn anew: the table and the latest messages, as wide as the window.
        width=$(tput cols 2>/dev/null || echo 100)
        screen=$(printf '%s\n\n%s' "$table" "$(tail -n 12 "$messages")" | cut -c "1-$width")
        printf '\033[H\033[J%s\n\n%s\n' "$screen" "Ctrl-C stops everything"
        if [[ $(stat -c %s "$messages") -gt 1000000 ]]; then : >"$messages"; fi
        pause=1
    else
        printf '%s\n' "$table"
        pause=10
    fi
    left=$((end - SECONDS))
    if [[ -n "$seconds" && $left -lt $pause ]]; then pause=$((left > 0 ? left : 0)); fi
    sleep "$pause" &
    wait $! || true
done
say "$seconds seconds are over"
