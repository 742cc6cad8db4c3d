"""Added latency of a sparse feed: the source's write to the subscriber that has the message."""

from ..clients import ONE, Peer
from ..figures import Case, Column, at_most
from ..machine import settle
from ..pipelines import PIPELINES
from ..programs import TOOLS, Void
from ..source import Source

CONNECTIONS, RATE, SIZE = 1_000, 30, 512
COLUMNS = [
    Column("p50_us", "p50 us", ",.0f"), Column("p99_us", "p99 us", ",.0f"),
    Column("missed_share", "missed", ".1%"),
    Column("cpu_s_per_million", "CPU-s/million", ",.1f")]
GOALS = [at_most("p99_us", "wsm", "gorilla-redis", 1, 0.5)]
# The floor and gorilla call back in their own process; the other two cross to a subscriber.
CALLBACKS = {
    "floor": lambda kept: Peer([TOOLS / "floor"], tail=[kept]),
    "gorilla": lambda kept: Peer([TOOLS / "gorilla", "-latencies", kept], ONE),
}
PEERS = ["wsm", "gorilla-redis", "gorilla", "floor"]


def callback(name, messages):
    with Source(CONNECTIONS, SIZE, messages, RATE) as source:
        client = CALLBACKS[name](source.total)
        try:
            client.start(source.port, CONNECTIONS)
            source.connected()
            before = settle(client.pid)
            source.begin()
            source.sent()
            cpu = settle(client.pid) - before
            counted = client.counted()
        finally:
            client.kill()
    return counted, cpu, source.total


def subscribed(name, messages):
    with Source(CONNECTIONS, SIZE, messages, RATE) as source:
        with PIPELINES[name](source, CONNECTIONS, source.total) as pipeline:
            before = sum(pipeline.settle().values())
            source.begin()
            source.sent()
            pipeline.reached()
            cpu = sum(pipeline.cpu().values()) - before
            counted = pipeline.counted()
    return counted, cpu, source.total


def measure(name, messages):
    counted, cpu, total = (callback if name in CALLBACKS else subscribed)(name, messages)
    missed = counted.get("missed", 0)
    if counted["messages"] + missed != total:
        raise Void(f"{name}: {counted['messages']} counted, {missed} missed, {total} sent")
    return {"p50_us": counted["p50_us"], "p99_us": counted["p99_us"],
            "missed_share": missed / total, "cpu_s_per_million": cpu / total * 1e6}


def run(options):
    messages = 60 if options.short else 150
    case = Case(
        "latency sparse", COLUMNS, GOALS,
        f"{CONNECTIONS:,} connections x {RATE} messages/s of {SIZE} B")
    return [case.run(
        options.peers or PEERS, options.rounds, lambda peer: measure(peer, messages))]
