"""The control plane: passes over what is as it should be, applies, and calls."""

import json
import pathlib
import subprocess
import time

from ..figures import Case, Column, at_most
from ..machine import cpu_seconds, fine_cpu_seconds, resident_kib, settle
from ..programs import TOOLS, Void
from ..server import Server, connection_set

# Nothing is dialled: records and nothing else.
CLOSED = ["--dial-rate", "0.001", "--dial-burst", "1"]
SIZES = [1_000, 10_000, 100_000]
# A resync comes every 30 s, 20 % early or late.
LONGEST_RESYNC = 37
# Seconds between two looks at what the process used, and the share of them that is work.
STEP, BUSY = 0.002, 0.2
PASS = [
    Column("wall_ms", "pass ms", ",.1f"), Column("cpu_ms", "CPU ms", ",.1f"),
    Column("written", "bytes written", ",.0f"), Column("idle_cpu", "CPU between", ".2%"),
    Column("rss_mib", "RSS MiB", ",.0f")]
APPLY = [
    Column("per_second", "objects/s", ",.0f"), Column("cpu_ms", "server CPU ms/object", ".3f"),
    Column("again_per_second", "again, unchanged/s", ",.0f")]
CALLS = [
    Column("per_second", "calls/s", ",.0f"), Column("cpu_us", "CPU us/call", ",.0f"),
    Column("p50_us", "p50 us", ",.0f"), Column("p99_us", "p99 us", ",.0f")]


def at_rest(connections):
    """A server whose connections were dialled once, were refused, and may not be dialled again.

    For these a pass has nothing to do, as for open ones, and there may be more of them than ports.
    """
    server = Server()
    try:
        server.apply(connection_set(1, connections, autoReconnect=False))
        settle(server.pid, quiet=2, until=240)
        failed = server.total("wsm_dials_total", result="failure")
        if failed != connections:
            raise Void(f"{failed} of {connections} dials have failed")
    except BaseException:
        server.kill()
        raise
    return server


def written_bytes(pid):
    for line in pathlib.Path(f"/proc/{pid}/io").read_text().splitlines():
        if line.startswith("wchar:"):
            return int(line.split()[1])


def bursts(pid, seconds):
    """Stretches in which the process worked: (wall seconds, processor seconds, bytes written)."""
    found, begun, quiet_since = [], None, 0.0
    end = time.monotonic() + seconds
    last, last_cpu, last_io = time.monotonic(), fine_cpu_seconds(pid), written_bytes(pid)
    while time.monotonic() < end:
        time.sleep(STEP)
        now, cpu, io = time.monotonic(), fine_cpu_seconds(pid), written_bytes(pid)
        if cpu - last_cpu > (now - last) * BUSY:
            if begun is None:
                begun = (last, last_cpu, last_io)
            quiet_since = now
        elif begun and now - quiet_since > 0.02:
            found.append((quiet_since - begun[0], cpu - begun[1], io - begun[2]))
            begun = None
        last, last_cpu, last_io = now, cpu, io
    return found


def reconcile(connections):
    """The longest burst within one resync interval is the resync.

    Where there is none it was too short to be seen, and the bound is told.
    """
    server = at_rest(connections)
    try:
        passes = server.total("wsm_reconcile_total")
        before = settle(server.pid, quiet=0.5)
        found = bursts(server.pid, LONGEST_RESYNC)
        used = cpu_seconds(server.pid) - before
        rss = resident_kib(server.pid)
        passed = server.total("wsm_reconcile_total") - passes
    finally:
        server.kill()
    if passed < connections:
        raise Void(f"{passed} passes over {connections} connections in {LONGEST_RESYNC} s")
    wall, cpu, written = max(
        found, key=lambda burst: burst[1], default=(STEP, STEP * BUSY, 0))
    return {"wall_ms": wall * 1e3, "cpu_ms": cpu * 1e3, "written": written,
            "idle_cpu": (used - cpu) / LONGEST_RESYNC, "rss_mib": rss / 1024}


def apply(connections):
    manifest = connection_set(1, connections)
    with Server(options=CLOSED) as server:
        before = settle(server.pid)
        begun = time.monotonic()
        server.apply(manifest)
        seconds = time.monotonic() - begun
        cpu = settle(server.pid) - before
        begun = time.monotonic()
        server.apply(manifest)
        again = time.monotonic() - begun
    return {"per_second": connections / seconds, "cpu_ms": cpu / connections * 1e3,
            "again_per_second": connections / again}


def calls(concurrent, count):
    names = 1_000
    with Server(options=CLOSED) as server:
        server.apply(connection_set(1, names))
        before = settle(server.pid)
        answer = json.loads(subprocess.run(
            [TOOLS / "caller", str(server.port), "bench-", str(names), str(count),
             str(concurrent)], check=True, capture_output=True, text=True).stdout)
        cpu = cpu_seconds(server.pid) - before
    return {"per_second": count / answer.pop("seconds"), "cpu_us": cpu / count * 1e6, **answer}


def run(options):
    wanted = options.cases or ["reconcile", "apply", "calls"]
    cases = []
    if "reconcile" in wanted:
        case = Case("no-op pass", PASS, [at_most("wall_ms", "100,000", None, 50, 5)])
        sizes = {f"{size:,}": size for size in (SIZES[:2] if options.short else SIZES)}
        cases.append(case.run(sizes, 1, lambda name: reconcile(sizes[name])))
    if "apply" in wanted:
        case = Case("apply", APPLY, note="wsm-apply's own time is in it")
        sizes = {f"{size:,}": size for size in SIZES[:2]}
        cases.append(case.run(sizes, min(options.rounds, 2), lambda name: apply(sizes[name])))
    if "calls" in wanted:
        case = Case("unary Get", CALLS, note="one HTTP/2 connection")
        loads = {"1 at a time": (1, 3_000), "32 at a time": (32, 20_000)}
        cases.append(case.run(loads, min(options.rounds, 2), lambda name: calls(*loads[name])))
    return cases
