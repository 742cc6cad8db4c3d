"""Receiving: processor time for a million messages, the whole way into a topic nobody reads."""

from ..clients import CLIENTS
from ..figures import Case, Column, at_least, at_most
from ..machine import resident_kib, settle
from ..programs import Void
from ..source import Source

CPU = "cpu_s_per_million"
COLUMNS = [
    Column(CPU, "CPU-s/million", ".3f"), Column("messages_per_second", "messages/s", ",.0f"),
    Column("rss_mib", "RSS MiB", ",.1f")]
# Size, connections, messages for each connection, rate for each connection (0: flat out).
CASES = {
    "64x16": (64, 16, 1_000_000, 0),
    "512x16": (512, 16, 300_000, 0),
    "4096x16": (4096, 16, 50_000, 0),
    "65536x16": (65536, 16, 3_000, 0),
    "sparse": (512, 1000, 150, 30),
}
GOALS = {
    "64x16": [at_least(CPU, "gorilla", "wsm", 5, 10)],
    "512x16": [
        at_least(CPU, "gorilla", "wsm", 3, 6), at_least(CPU, "ws", "wsm", 6, 15),
        at_least(CPU, "picows", "wsm", 3, 6), at_least(CPU, "websockets", "wsm", 25, 60),
        at_most(CPU, "wsm", "floor", 2.5, 1.5), at_most(CPU, "wsm-2-loops", "wsm", 1.15, 1)],
    "4096x16": [at_most(CPU, "wsm", "floor", 2.5, 1.3)],
    "65536x16": [at_most(CPU, "wsm", "floor", 2.5, 1.3)],
    "sparse": [at_least(CPU, "gorilla", "wsm", 1.2, 2)],
}
PEERS = ["wsm", "wsm-2-loops", "floor", "gorilla", "ws", "picows", "websockets"]
# What the slow ones get a share of, so that a round does not take minutes.
SHARE = {"websockets": 0.05, "ws": 0.2, "picows": 0.2, "gorilla": 0.3}


def measure(name, size, connections, messages, rate):
    if rate == 0:
        messages = max(1, int(messages * SHARE.get(name, 1)))
    client = CLIENTS[name]()
    with Source(connections, size, messages, rate) as source:
        try:
            client.start(source.port, connections)
            source.connected()
            before = settle(client.pid)
            start = source.begin()
            seconds = source.sent() - start
            cpu = settle(client.pid) - before
            memory = resident_kib(client.pid)
            counted = client.counted()["messages"]
        finally:
            client.kill()
        if counted != source.total:
            raise Void(f"{name}: {counted} counted, {source.total} sent")
        return {
            CPU: cpu / source.total * 1e6, "messages_per_second": source.total / seconds,
            "rss_mib": memory / 1024, "messages": source.total}


def run(options):
    cases = []
    for name in options.cases or (["512x16"] if options.short else list(CASES)):
        size, connections, messages, rate = CASES[name]
        if options.short:
            messages //= 4
        peers = options.peers or [
            peer for peer in PEERS if not (name == "sparse" and peer == "wsm-2-loops")]
        case = Case(f"receive {name}", COLUMNS, GOALS[name])
        cases.append(case.run(
            peers, options.rounds,
            lambda peer: measure(peer, size, connections, messages, rate)))
    return cases
