"""Three servers on one Redis behind stand-in sidecars: what happens when one ends, stops, leaves or is cut off.

Every event that a broker took is checked by connection, epoch and sequence. The feed numbers its messages by the
clock and sends every socket the same ones, so a hole or a repeat in its numbers is a message lost or doubled.

Not part of `make test`: it takes minutes and wants the machine for itself, since the fast profile leaves a process
62 ms to be late. `make prove-cluster` runs it.

`CLUSTER_CONNECTIONS` makes it large; `CLUSTER_SECONDS` says how long the stopped member stops, `CLUSTER_OUTAGE` how
long the store is away, `CLUSTER_RATE` how many messages a second each connection gets beside those when its socket
opens: the stand-ins take a few hundred a second together. `CLUSTER_PROFILE=standard` takes the default times. One
proof at that size takes a quarter of an hour: `scripts/interop.sh -s --timeout 900 proof_cluster.py`.
"""

import collections
import os
import signal
import time
import urllib.request

import pytest

from client import CALL
from cluster import Acceptances, Ledger, Member, distribution, market, serving, wait_settled
from dapr_fixtures import REAL
from standin import RedisServer, Sidecar
from stubs import v1
from waiting import eventually

COUNT = int(os.environ.get("CLUSTER_CONNECTIONS", "60"))
RATE = float(os.environ.get("CLUSTER_RATE", "4"))
STOPPED = float(os.environ.get("CLUSTER_SECONDS", "4"))
# Shorter than the time after which members without a store must fence themselves.
OUTAGE = float(os.environ.get("CLUSTER_OUTAGE", STOPPED))
PROFILE = os.environ.get("CLUSTER_PROFILE", "fast")
# An heir finds its place by four frames, and waits eight seconds for them at the default times. A feed slower
# than that has to begin with its last ones, as feeds with a snapshot do.
LAST = 1 if RATE >= 1 else 4
# Of the protocol: suspicion, ranks, polls; four times as long with the standard profile.
UNIT = 1 if PROFILE == "fast" else 4
# A busy test machine: sockets, processes and this reader share two cores.
ROOM = 3 if COUNT <= 100 else 10

pytestmark = pytest.mark.skipif(bool(REAL), reason="it needs several stand-ins")


class Cluster:
    def __init__(self, directory):
        self.directory = directory
        self.redis = RedisServer(directory / "redis.log", directory=directory)
        self.sidecars, self.members, self.ledger = [], [], Ledger()
        self.accepted = Acceptances(self.sidecars, "market", self.ledger)
        for _ in range(3):
            self.add()
        for member in self.members:
            member.ready()
        self.settle()

    def add(self):
        number = len(self.members) + 1
        sidecar = Sidecar(
            self.directory / f"sidecar{number}.log", "--state", "state.redis",
            "--redis", self.redis.address, "--app-id", "cluster")
        member = Member(
            f"m{number}", self.directory / f"data{number}", "--state", "dapr", "--bus", "dapr",
            "--lease-profile", PROFILE, "--dial-rate", 1000, "--dial-burst", 1000,
            "--log-level", "info", *sidecar.server_arguments)
        self.sidecars.append(sidecar)
        self.members.append(member)
        return member

    @property
    def alive(self):
        return [m for m in self.members if m.process.is_alive and m.client]

    def settle(self, timeout=60.0):
        wait_settled(self.alive[0], [m.name for m in self.alive], timeout * UNIT)

    def moved(self):
        """Nothing moves any more, and everybody has a fair share."""
        view = self.alive[0].client.v1.GetCluster(v1.GetClusterRequest(), timeout=CALL)
        shares = [m.shards for m in view.members if m.state == "alive"]
        return not view.moves and max(shares) - min(shares) <= 2

    def balance(self):
        eventually(self.moved, 60.0 * UNIT, "a balanced cluster", 0.2)

    def read(self):
        return self.accepted.read()

    def wait_flow(self, since, timeout=30.0):
        """Every connection has published something since."""
        def flows():
            ledger = self.read()
            return all(ledger.last(f"m-{n}") > since for n in range(COUNT))
        eventually(flows, timeout * UNIT, "messages of every connection", 0.3)

    def expect_nothing_lost(self, since):
        """Every connection publishes, and in the feed's own numbers there is no hole and no repeat."""
        self.wait_flow(time.time())
        ledger = self.read()
        ledger.check_ids()
        assert ledger.holes(since) == {}
        assert ledger.repeats(since) == {}

    def leave(self, member):
        """Asks a member to go. Returns how many connections it had, and how long it took."""
        start, mine = time.time(), self.owned_by(member)
        member.process.popen.send_signal(signal.SIGTERM)
        assert member.process.popen.wait(60 * UNIT) == 0
        took = time.time() - start
        member.client.close()
        member.client = None
        return mine, took

    def store_calls(self):
        """Of each sidecar so far: calls of the state store by kind."""
        return [{name: count for name, count in sidecar.calls.items() if "State" in name}
                for sidecar in self.sidecars]

    def owned_by(self, member):
        objects = member.client.v1.GetCluster(v1.GetClusterRequest(), timeout=CALL)
        return next(m.connections for m in objects.members if m.instance == member.name)

    def end(self):
        for member in self.members:
            member.kill()
        for sidecar in self.sidecars:
            sidecar.kill()
        self.redis.kill()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory, feed):
    made = Cluster(tmp_path_factory.mktemp("cluster"))
    first = made.members[0].client
    made.balance()
    start = time.time()
    applied = first.apply(market(feed, COUNT, rate=RATE, prefix="m", last=LAST), set="market")
    assert applied.summary.created == COUNT + 1
    made.wait_flow(start, 60)
    print(f"\n{COUNT} connections publish {time.time() - start:.1f} s after the apply")
    yield made
    made.end()


def test_in_peace_the_store_is_asked_for_heartbeats_only(cluster):
    """The number of connections plays no part: nothing but the members and what they watch is read and written."""
    span = 20.0
    time.sleep(5 * UNIT)
    before = cluster.store_calls()
    time.sleep(span)
    rates = [{name: (new[name] - old.get(name, 0)) / span for name in new}
             for old, new in zip(before, cluster.store_calls())]
    total = sum(sum(rate.values()) for rate in rates)
    print(f"\n{len(cluster.alive)} members: {total:.1f} store calls a second in all; each: {rates}")
    # Heartbeats, and what is watched of the others: 2.5 at the default times, four times as many in the fast profile.
    assert all(sum(rate.values()) <= 6 * (4 / UNIT) for rate in rates)


def bring_back(cluster, member):
    member.start().ready()
    cluster.settle()
    cluster.balance()


def test_a_killed_member_is_replaced(cluster):
    victim = cluster.members[1]
    cluster.read()
    mine = cluster.owned_by(victim)
    before = {name: cluster.ledger.of(name)[-1].epoch for name in cluster.ledger.names()}
    start = time.time()
    victim.kill()
    cluster.wait_flow(start + 1.0 * UNIT, 30)
    ledger = cluster.read()
    ledger.check_ids()
    taken = {}
    for name in ledger.names():
        first = next((e for e in ledger.of(name) if e.epoch > before[name]), None)
        if first:
            taken[name] = first.at - start
    assert len(taken) == mine
    print(f"\ntaken over: {distribution(taken.values())}")
    assert max(taken.values()) <= 5.5 * UNIT + ROOM
    bring_back(cluster, victim)


def test_a_leaving_member_loses_and_repeats_nothing(cluster):
    leaver = cluster.members[2]
    start = time.time()
    mine, took = cluster.leave(leaver)
    assert mine > 0
    print(f"\n{mine} connections handed over in {took:.1f} s")
    try:
        cluster.expect_nothing_lost(start - 1)
        assert '"lost":0' in leaver.process.log or "lost=0" in leaver.process.log
    finally:
        bring_back(cluster, leaver)


def test_a_stopped_member_publishes_nothing_old_when_it_wakes(cluster):
    sleeper = cluster.members[0]
    start = time.time()
    sleeper.process.popen.send_signal(signal.SIGSTOP)
    time.sleep(max(STOPPED, 1.5 * UNIT))
    others = [m for m in cluster.members if m is not sleeper]
    eventually(lambda: serving(others[0].client)[0] == 256, 30.0 * UNIT, "shards served", 0.1)
    woken = time.time()
    sleeper.process.popen.send_signal(signal.SIGCONT)
    cluster.wait_flow(woken, 40)
    cluster.settle()
    ledger = cluster.read()
    late = 0
    for name in ledger.names():
        highest = 0
        events = [e for e in ledger.of(name) if e.at >= start]
        stale = [e for i, e in enumerate(events)
                 if any(o.epoch > e.epoch for o in events[:i])]
        # The one call that was under way when the process was stopped.
        assert len({e.epoch for e in stale}) <= 1, f"{name}: {len(stale)} stale events"
        late += len(stale)
        highest = max([highest] + [e.epoch for e in events])
    print(f"\n{late} events of calls that the pause held up")
    assert late <= COUNT
    cluster.balance()


def test_a_new_member_takes_its_share_without_a_hole(cluster):
    start = time.time()
    before = cluster.alive[0].client.v1.GetCluster(v1.GetClusterRequest(), timeout=CALL)
    held = {s.shard: s.owner for s in before.shards}
    cluster.add().ready()
    cluster.settle()
    cluster.balance()
    view = cluster.alive[0].client.v1.GetCluster(v1.GetClusterRequest(), timeout=CALL)
    moved = [s for s in view.shards if s.owner != held[s.shard]]
    print(f"\n{len(moved)} shards moved in {time.time() - start:.1f} s")
    # What was out of balance by one before may move along.
    assert sum(s.owner != "m4" for s in moved) <= 2
    assert len(moved) <= 256 // 4 + 1
    cluster.expect_nothing_lost(start - 1)


def test_a_store_that_is_out_for_all_costs_nobody_a_shard(cluster):
    view = cluster.alive[0].client.v1.GetCluster(v1.GetClusterRequest(), timeout=CALL)
    epochs = {s.shard: (s.owner, s.epoch) for s in view.shards}
    start = time.time()
    cluster.redis.popen.send_signal(signal.SIGSTOP)
    time.sleep(OUTAGE)
    cluster.redis.popen.send_signal(signal.SIGCONT)
    cluster.settle()
    cluster.wait_flow(time.time())
    ledger = cluster.read()
    ledger.check_ids()
    view = cluster.alive[0].client.v1.GetCluster(v1.GetClusterRequest(), timeout=CALL)
    assert {s.shard: (s.owner, s.epoch) for s in view.shards} == epochs
    assert ledger.holes(start - 1) == {}
    assert ledger.repeats(start - 1) == {}


def test_a_member_cut_off_from_the_store_is_replaced_and_comes_back(cluster):
    cut, sidecar = cluster.members[1], cluster.sidecars[1]
    start = time.time()
    # One way: what it writes lands, and it hears of nothing. Its peers and its broker it reaches.
    sidecar.faults({"on": "state", "mode": "lost-reply"})
    others = [m for m in cluster.members if m is not cut]
    eventually(
        lambda: serving(others[0].client) == (256, sorted(m.name for m in others)),
        30.0 * UNIT, lambda: f"{serving(others[0].client)}", 0.1)
    sidecar.faults()
    cluster.settle()
    cluster.wait_flow(time.time())
    ledger = cluster.read()
    for name in ledger.names():
        epochs = [e.epoch for e in ledger.of(name) if e.at >= start]
        assert epochs == sorted(epochs), f"{name}: {epochs}"
    cluster.balance()


def test_a_rolling_restart_loses_nothing(cluster):
    start = time.time()
    for member in list(cluster.members[:3]):
        began = time.time()
        mine, left = cluster.leave(member)
        bring_back(cluster, member)
        print(f"\n{member.name}: {mine} connections left in {left:.1f} s, balanced again after "
              f"{time.time() - began:.1f} s")
    cluster.expect_nothing_lost(start - 1)


def connected(member):
    page = urllib.request.urlopen(f"http://127.0.0.1:{member.process.http_port}/metrics", timeout=CALL)
    for line in page.read().decode().splitlines():
        if line.startswith('wsm_connections{state="connected"}'):
            return int(float(line.split()[-1]))
    return 0


def test_a_cold_start_reads_in_bulk(cluster):
    """All of them at once, as after a power cut: records come by the page, sockets by the dial limit."""
    for member in cluster.members:
        member.kill()
    before = cluster.store_calls()
    start = time.time()
    for member in cluster.members:
        member.start()
    for member in cluster.members:
        member.ready()
    cluster.settle()
    served = time.time() - start
    eventually(
        lambda: sum(map(connected, cluster.alive)) == COUNT, 120.0 * UNIT,
        lambda: f"{[connected(m) for m in cluster.alive]} connected", 0.2)
    took = time.time() - start
    calls = collections.Counter()
    for old, new in zip(before, cluster.store_calls()):
        calls.update({name: count - old.get(name, 0) for name, count in new.items()})
    print(f"\n{COUNT} connections: every shard served after {served:.1f} s, all connected after {took:.1f} s; {calls}")
    assert calls["GetBulkState"] <= 20 * len(cluster.members) * UNIT + COUNT // 50 + 4 * 256
