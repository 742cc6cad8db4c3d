"""End to end: feeds into a topic, read by one subscriber process."""

from ..figures import Case, Column, at_least
from ..pipelines import PIPELINES
from ..programs import Void
from ..source import Source

RATE = "per_second"
COLUMNS = [
    Column(RATE, "delivered/s", ",.0f"), Column("missed_share", "missed", ".1%"),
    Column("cpu_s_per_million", "CPU-s/million", ".2f"),
    Column("own_cpu", "server or bridge", ".2f"), Column("redis_cpu", "redis", ".2f"),
    Column("subscriber_cpu", "subscriber", ".2f")]
GOALS = [at_least(RATE, "wsm", "gorilla-redis", 1.3, 3)]
CONNECTIONS, SIZE = 16, 512
PEERS = ["wsm", "wsm-2-loops", "gorilla-redis"]


def measure(name, messages):
    """Flat out. Every message is delivered or told as missed, or the run is void."""
    with Source(CONNECTIONS, SIZE, messages) as source:
        with PIPELINES[name](source, CONNECTIONS, source.total) as pipeline:
            before = pipeline.cpu()
            start = source.begin()
            source.sent()
            pipeline.reached()
            after = pipeline.cpu()
            counted = pipeline.counted()
        delivered = counted["messages"]
        if delivered + counted["missed"] != source.total:
            raise Void(f"{name}: {counted} of {source.total}")
    used = {part: (after[part] - before[part]) / delivered * 1e6 for part in after}
    return {
        RATE: delivered / (counted["last"] - start),
        "missed_share": counted["missed"] / source.total,
        "cpu_s_per_million": sum(used.values()),
        "own_cpu": used.get("server", used.get("bridge")), "redis_cpu": used.get("redis"),
        "subscriber_cpu": used["subscriber"]}


def run(options):
    messages = 30_000 if options.short else 60_000
    case = Case(
        "end to end, 512 B, flat out", COLUMNS, GOALS, f"{CONNECTIONS} feeds, one subscriber")
    peers = options.peers or (["wsm", "gorilla-redis"] if options.short else PEERS)
    return [case.run(peers, options.rounds, lambda peer: measure(peer, messages))]
