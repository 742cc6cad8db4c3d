"""Memory: resident KiB that a connection adds, idle and under a flood."""

import time

from ..clients import CLIENTS, ONE, WSM, Peer
from ..figures import Case, Column, at_most
from ..machine import forget_peak, peak_resident_kib, resident_kib, settle
from ..programs import TOOLS, Void
from ..source import Source, TLSFront

KIB = "kib_per_connection"
IDLE = [Column(KIB, "KiB/connection"), Column("base_mib", "base MiB")]
FLOOD = [Column(KIB, "KiB/connection"), Column("settled", "after, settled"),
         Column("base_mib", "base MiB")]
# More than any case's connections: nothing is dialled, so that only the records are there.
CLOSED = ["--dial-rate", "0.001", "--dial-burst", "1"]
VARIANTS = {
    "wsm": lambda: WSM(topic=None),
    "wsm-keepalive": lambda: WSM(topic=None, keepalive=True),
    "wsm-records": lambda: WSM(topic=None, options=CLOSED),
    "wsm-topic": lambda: WSM(),
    "gorilla": lambda: Peer([TOOLS / "gorilla", "-dials", "64"], ONE, "-ca"),
}
# Connections, TLS, peers.
CASES = {
    "idle-ws": (10_000, False, ["wsm", "wsm-keepalive", "wsm-records", "floor", "gorilla", "ws"]),
    "idle-wss": (2_000, True, ["wsm", "gorilla", "ws"]),
    "flood": (200, False, ["wsm", "wsm-topic", "floor", "gorilla", "ws"]),
}
GOALS = {
    "idle-ws": [at_most(KIB, "wsm", None, 4.5, 1)],
    "idle-wss": [at_most(KIB, "wsm", None, 31, 16)],
    "flood": [at_most(KIB, "wsm", "gorilla", 1)],
}
# Of 4 KiB each, to every connection.
FLOOD_MESSAGES = 2_000


def client(name):
    return VARIANTS.get(name, CLIENTS.get(name))()


def base_kib(name):
    """What the program holds without a connection, at rest."""
    empty = client(name)
    try:
        if isinstance(empty, WSM):
            empty.launch()
        else:
            empty.start(1, 0)
        time.sleep(1)
        settle(empty.pid)
        return resident_kib(empty.pid)
    finally:
        empty.kill()


def opened(name, source, connections, tls):
    """A client with all its connections, at rest."""
    started = client(name)
    try:
        if tls:
            with TLSFront(source) as front:
                started.start(front.port, connections, front.certificate)
                source.connected()
                settle(started.pid, quiet=1)
                started.held_kib = resident_kib(started.pid)
        else:
            started.start(source.port, connections)
            if name == "wsm-records":
                time.sleep(1)
            else:
                source.connected()
            settle(started.pid, quiet=1)
            started.held_kib = resident_kib(started.pid)
    except BaseException:
        started.kill()
        raise
    return started


def idle(name, connections, tls, base):
    with Source(connections) as source:
        running = opened(name, source, connections, tls)
        running.kill()
    return {KIB: (running.held_kib - base) / connections, "base_mib": base / 1024}


def flood(name, connections, base):
    """The peak while all connections are flooded: what has to be there for it."""
    messages = FLOOD_MESSAGES // (5 if name == "ws" else 1)
    with Source(connections, 4096, messages) as source:
        running = opened(name, source, connections, False)
        try:
            forget_peak(running.pid)
            source.begin()
            source.sent()
            settle(running.pid)
            peak, settled = peak_resident_kib(running.pid), resident_kib(running.pid)
            counted = running.counted()["messages"]
        finally:
            running.kill()
        if counted != source.total:
            raise Void(f"{name}: {counted} counted, {source.total} sent")
    return {KIB: (peak - base) / connections, "settled": (settled - base) / connections,
            "base_mib": base / 1024}


def run(options):
    cases = []
    for name in options.cases or (["idle-ws"] if options.short else list(CASES)):
        connections, tls, peers = CASES[name]
        if options.short:
            connections //= 5
            peers = ["wsm", "gorilla", "ws"]
        peers = options.peers or peers
        bases = {peer: base_kib(peer) for peer in peers}

        def measure(peer):
            if name == "flood":
                return flood(peer, connections, bases[peer])
            return idle(peer, connections, tls, bases[peer])

        case = Case(
            f"memory {name}", FLOOD if name == "flood" else IDLE, GOALS[name],
            f"{connections:,} connections")
        cases.append(case.run(peers, min(options.rounds, 2), measure))
    return cases
