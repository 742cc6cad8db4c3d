"""Dialling: connections a second, first accepted to last upgraded, and time of it all."""

import time

from ..clients import CLIENTS, ONE, WSM, Peer
from ..figures import Case, Column, at_least
from ..machine import cpu_seconds, settle
from ..programs import TOOLS
from ..source import Source

RATE = "per_second"
COLUMNS = [
    Column(RATE, "connects/s", ",.0f"), Column("cpu_ms", "CPU ms/connect", ".3f"),
    Column("declared_s", "apply to open s", ".2f"),
    Column("records_cpu_ms", "of it, records", ".3f")]
IN_FLIGHT = 256
# Nothing is dialled: what applying and keeping the records costs by itself.
CLOSED = ["--dial-rate", "0.001", "--dial-burst", "1"]
VARIANTS = {
    "gorilla": lambda: Peer([TOOLS / "gorilla", "-dials", IN_FLIGHT], ONE),
    "gorilla-2": lambda: Peer([TOOLS / "gorilla", "-dials", IN_FLIGHT], {"GOMAXPROCS": "2"}),
}
PEERS = ["wsm", "wsm-2-loops", "floor", "gorilla", "gorilla-2", "ws"]
GOALS = [at_least(RATE, "wsm", "gorilla", 1.1), at_least(RATE, "wsm", "floor", None, 1)]


def records_cpu_ms(connections):
    closed = WSM(options=CLOSED)
    try:
        closed.launch()
        before = settle(closed.pid)
        closed.start(1, connections)
        return (settle(closed.pid) - before) / connections * 1e3
    finally:
        closed.kill()


def measure(name, connections):
    client = VARIANTS.get(name, CLIENTS.get(name))()
    figures = {}
    with Source(connections) as source:
        try:
            before = 0.0
            if isinstance(client, WSM):
                client.launch()
                before = settle(client.pid)
            begun = time.monotonic()
            client.start(source.port, connections)
            first, last = source.connected()
            if isinstance(client, WSM):
                # What it says of the connections afterwards is part of opening them.
                settle(client.pid)
                figures["declared_s"] = last - begun
            cpu = cpu_seconds(client.pid) - before
        finally:
            client.kill()
    if isinstance(client, WSM):
        figures["records_cpu_ms"] = records_cpu_ms(connections)
    return {RATE: connections / (last - first), "cpu_ms": cpu / connections * 1e3, **figures}


def run(options):
    connections = 2_000
    peers = options.peers or (["wsm", "floor", "gorilla"] if options.short else PEERS)
    case = Case("connect ws", COLUMNS, GOALS, f"{connections:,} connections")
    return [case.run(peers, options.rounds, lambda peer: measure(peer, connections))]
