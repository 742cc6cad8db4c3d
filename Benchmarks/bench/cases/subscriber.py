"""End to end: feeds into a topic, read by one subscriber process.

wsm never waits for a reader: one that is too slow is told how many it missed. So two figures are
needed: the most that arrives without a loss, and what arrives when the feeds are flat out.
"""

from ..figures import Case, Column, at_least
from ..pipelines import PIPELINES
from ..programs import Void
from ..source import Source

RATE = "per_second"
PARTS = [
    Column("own_cpu", "server/bridge", ".2f"), Column("redis_cpu", "redis", ".2f"),
    Column("subscriber_cpu", "subscriber", ".2f")]
CPU = Column("cpu_s_per_million", "CPU-s/million", ".2f")
SUSTAINED = [Column(RATE, "sustained/s", ",.0f"), CPU, *PARTS]
FLAT_OUT = [Column(RATE, "delivered/s", ",.0f"), Column("missed_share", "missed", ".1%"), CPU,
            *PARTS]
GOALS = [at_least(RATE, "wsm", "gorilla-redis", 1.3, 3)]
CONNECTIONS, SIZE, BURST = 16, 512, 16
PEERS = ["wsm", "wsm-2-loops", "gorilla-redis"]
# Messages a second of all feeds together to begin with, and the finest step that is told apart.
FIRST, STEP = 40_000, 1.07


def trial(name, messages, rate=0):
    """Every message is delivered or told as missed, or the run is void."""
    with Source(CONNECTIONS, SIZE, messages, rate / CONNECTIONS, BURST) as source:
        with PIPELINES[name](source, CONNECTIONS, source.total) as pipeline:
            before = pipeline.cpu()
            start = source.begin()
            source.sent()
            pipeline.reached()
            after = pipeline.cpu()
            counted = pipeline.counted()
        delivered, missed = counted["messages"], counted["missed"]
        if delivered + missed != source.total:
            raise Void(f"{name}: {counted} of {source.total}")
    seconds = counted["last"] - start
    used = {part: (after[part] - before[part]) / delivered * 1e6 for part in after}
    return {
        RATE: delivered / seconds, "missed_share": missed / source.total,
        "keeps_up": not rate or missed == 0 and seconds <= source.total / rate * 1.1 + 0.1,
        "cpu_s_per_million": sum(used.values()),
        "own_cpu": used.get("server", used.get("bridge")), "redis_cpu": used.get("redis"),
        "subscriber_cpu": used["subscriber"]}


def sustained(name, seconds):
    """Doubles the rate until it is too much, then halves the gap.

    What counts is what was delivered: a bridge slows its feeds down and is given time for that.
    """
    def at(rate):
        return trial(name, int(rate / CONNECTIONS * seconds), rate)

    low, high, best = 0, None, {RATE: 0.0}
    rate = FIRST
    while high is None or high > low * STEP:
        tried = at(rate)
        if tried["keeps_up"]:
            low, best = rate, tried
        else:
            high = rate
            if rate <= 1_000:
                break
        rate = rate * 2 if high is None else (low * high) ** 0.5 if low else high / 2
    return best


def run(options):
    peers = options.peers or (["wsm", "gorilla-redis"] if options.short else PEERS)
    note = f"{CONNECTIONS} feeds of {SIZE} B, one subscriber"
    cases = []
    for name in options.cases or ["sustained"] + ([] if options.short else ["flat-out"]):
        if name == "sustained":
            case = Case("end to end, without loss", SUSTAINED, GOALS, note)
            case.run(peers, options.rounds, lambda peer: sustained(peer, 1.0))
        else:
            case = Case("end to end, flat out", FLAT_OUT, (), note)
            case.run(peers, options.rounds, lambda peer: trial(peer, 60_000))
        cases.append(case)
    return cases
