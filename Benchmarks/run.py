#!/usr/bin/env python3
"""Measures wsm beside what people use today, all in one run, taking turns.

    Benchmarks/run.py [--cases 512x16,64x16,…] [--rounds 3] [--peers wsm,floor,gorilla,ws,picows,websockets]
                      [--json FILE] [--short]

Every peer gets the same frames from the same source. What counts is processor time per million
messages and its ratio to wsm's in the same run: these figures survive a noisy machine, rates do not.
A run whose client did not count exactly what was sent is void and ends the program.
"""

import argparse
import json
import os
import pathlib
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
TOOLS = ROOT / ".build-bench"
TICKS = os.sysconf("SC_CLK_TCK")


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def cpu_seconds(pid):
    """User and system time of a process and all its threads."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident_kib(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise RuntimeError(f"no VmRSS of {pid}")


class Source:
    """wssrc: waits for its clients, then for the word to begin."""

    def __init__(self, connections, size, messages, rate=0):
        self.port = free_port()
        self.total = connections * messages
        self.process = subprocess.Popen(
            [TOOLS / "wssrc", str(self.port), str(connections), str(size), str(messages), str(rate)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._expect("ready")

    def _expect(self, word):
        line = self.process.stdout.readline()
        if not line.startswith(word):
            raise RuntimeError(f"the source said {line!r} instead of {word}")
        return line.split()

    def connected(self):
        self._expect("connected")

    def run(self):
        """Sends everything. Returns the seconds it took."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        start = float(self._expect("start")[1])
        return float(self._expect("done")[1]) - start

    def stop(self):
        self.process.kill()
        self.process.wait()


class Peer:
    """A client of somebody else's; it prints what it counted when it is told to end."""

    def __init__(self, command, environment=None):
        self.command = command
        self.environment = environment or {}

    def start(self, source, connections):
        self.process = subprocess.Popen(
            [*map(str, self.command), str(source.port), str(connections)],
            stdout=subprocess.PIPE, text=True, env={**os.environ, **self.environment})
        source.connected()

    @property
    def pid(self):
        return self.process.pid

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        output, _ = self.process.communicate(timeout=30)
        return json.loads(output)["messages"]


class WSM:
    """The server itself: a ConnectionSet into one topic that nobody reads."""

    def __init__(self, loops=1):
        self.loops = loops
        self.bin = pathlib.Path(os.environ.get("WSM_BIN") or ROOT / ".build" / "release")

    def _apply(self, *arguments, **options):
        return subprocess.run(
            [self.bin / "wsm-apply", *arguments], check=True, text=True, capture_output=True,
            env={**os.environ, "WSM_SERVER": f"127.0.0.1:{self.port}"}, **options).stdout

    def start(self, source, connections):
        self.directory = tempfile.TemporaryDirectory()
        log = pathlib.Path(self.directory.name) / "log"
        self.port = free_port()
        with open(log, "wb") as output:
            self.process = subprocess.Popen(
                [self.bin / "wsm-server", "--grpc-port", str(self.port),
                 "--data-dir", f"{self.directory.name}/data"],
                stdout=output, stderr=output,
                env={**os.environ, "NIO_SINGLETON_GROUP_LOOP_COUNT": str(self.loops)})
        while "ready" not in log.read_text():
            if self.process.poll() is not None:
                raise RuntimeError(log.read_text())
            time.sleep(0.02)
        self._apply("-f", "-", "--wait=Ready", "--timeout", "60s", input=json.dumps({
            "apiVersion": "wsm.virtufin.com/v1", "kind": "ConnectionSet",
            "metadata": {"name": "bench"}, "spec": {
                "list": [{"n": n} for n in range(connections)], "name": "bench-{{n}}",
                "template": {"spec": {
                    "url": f"ws://127.0.0.1:{source.port}/{{{{n}}}}", "topic": "bench",
                    "autoReconnect": False, "keepalive": {"pingInterval": "0s"}}}}}))
        source.connected()

    @property
    def pid(self):
        return self.process.pid

    def stop(self):
        items = json.loads(self._apply("get", "connections", "-o", "json"))["items"]
        published = sum(item["published"] for item in items)
        received = sum(item["received"] for item in items)
        if published != received:
            raise RuntimeError(f"{received} received, {published} published")
        self.process.terminate()
        self.process.wait(30)
        self.directory.cleanup()
        return received


PEERS = {
    "wsm": lambda: WSM(),
    "wsm-2-loops": lambda: WSM(loops=2),
    "floor": lambda: Peer([TOOLS / "floor"]),
    "gorilla": lambda: Peer([TOOLS / "gorilla"], {"GOMAXPROCS": "1"}),
    "ws": lambda: Peer(
        ["node", ROOT / "Benchmarks/peers/ws_client.js"],
        {"NODE_PATH": str(TOOLS / "node/usr/share/nodejs")}),
    "picows": lambda: Peer([TOOLS / "venv/bin/python", ROOT / "Benchmarks/peers/picows_client.py"]),
    "websockets": lambda: Peer(
        [TOOLS / "venv/bin/python", ROOT / "Benchmarks/peers/websockets_client.py"]),
}
# What the slow ones get a share of, so that a round does not take minutes.
SHARE = {"websockets": 0.05, "ws": 0.2, "picows": 0.2, "gorilla": 0.3}


def settle(pid, until=20.0):
    """Waits until the process has nothing left to do; returns its processor time then."""
    deadline = time.monotonic() + until
    last, since = cpu_seconds(pid), time.monotonic()
    while time.monotonic() < deadline:
        time.sleep(0.05)
        now = cpu_seconds(pid)
        if now != last:
            last, since = now, time.monotonic()
        elif time.monotonic() - since > 0.4:
            return last
    raise RuntimeError("the client does not come to rest")


def measure(name, connections, size, messages, rate):
    if rate == 0:
        messages = max(1, int(messages * SHARE.get(name, 1)))
    source = Source(connections, size, messages, rate)
    peer = PEERS[name]()
    try:
        peer.start(source, connections)
        before = settle(peer.pid)
        seconds = source.run()
        cpu = settle(peer.pid) - before
        memory = resident_kib(peer.pid)
        counted = peer.stop()
    finally:
        source.stop()
        if peer.process.poll() is None:
            peer.process.kill()
    if counted != source.total:
        raise SystemExit(f"{name}: {counted} counted, {source.total} sent: this run is void")
    return {
        "peer": name, "cpu_s_per_million": cpu / source.total * 1e6,
        "messages_per_second": source.total / seconds, "rss_kib": memory, "messages": source.total}


# size, connections, messages for each connection, rate for each connection (0: flat out)
CASES = {
    "64x16": (64, 16, 1_000_000, 0),
    "512x16": (512, 16, 300_000, 0),
    "4096x16": (4096, 16, 50_000, 0),
    "65536x16": (65536, 16, 3_000, 0),
    "sparse": (512, 1000, 150, 30),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--cases", default="64x16,512x16,4096x16,65536x16,sparse")
    parser.add_argument("--peers", default="wsm,floor,gorilla,ws,picows,websockets")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--short", action="store_true", help="512 bytes, one round, fewer messages")
    options = parser.parse_args()
    if options.short:
        options.cases, options.rounds = "512x16", 1
    results = []
    for case in options.cases.split(","):
        size, connections, messages, rate = CASES[case]
        if options.short:
            messages //= 4
        rows = {name: [] for name in options.peers.split(",")}
        for _ in range(options.rounds):
            for name in rows:
                rows[name].append(measure(name, connections, size, messages, rate))
        show(case, rows)
        results.append({"case": case, "rows": rows})
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n")


def show(case, rows):
    def median(name, key):
        return statistics.median(row[key] for row in rows[name])

    print(f"\n{case}: medians of {len(next(iter(rows.values())))}")
    print(f"{'':14}{'CPU-s/M':>10}{'× wsm':>8}{'msg/s':>12}{'RSS MiB':>9}")
    own = median("wsm", "cpu_s_per_million") if "wsm" in rows else None
    for name in rows:
        cpu = median(name, "cpu_s_per_million")
        ratio = f"{cpu / own:.2f}" if own else "-"
        print(
            f"{name:14}{cpu:10.3f}{ratio:>8}{median(name, 'messages_per_second'):12,.0f}"
            f"{median(name, 'rss_kib') / 1024:9.1f}")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
