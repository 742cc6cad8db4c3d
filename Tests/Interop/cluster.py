"""Several servers as one cluster, and a reader that checks every event they publish."""

import collections
import statistics
import threading

from client import CALL, Client
from processes import Server, free_port
from stubs import v1
from waiting import eventually

FAST = ["--lease-profile", "fast"]


class Member:
    """One server of a cluster, which can end and come back under its name."""

    def __init__(self, name, data_dir, *arguments):
        self.name, self.data_dir, self.arguments = name, data_dir, arguments
        self.port = free_port()
        self.process = self.client = None
        self.lives = 0
        self.start()

    def start(self):
        self.lives += 1
        log = self.data_dir.with_name(f"{self.name}-{self.lives}.log")
        self.process = Server(
            self.data_dir, "--instance-id", self.name, "--grpc-port", self.port,
            *self.arguments, log=log)
        return self

    def ready(self):
        self.process.ready()
        self.client = Client(self.process.address)
        return self

    @property
    def pid(self):
        return self.process.pid

    def kill(self):
        if self.client:
            self.client.close()
            self.client = None
        self.process.kill()


class Event:
    """One message, as it came to whoever reads all of them."""

    __slots__ = ("name", "uid", "epoch", "sequence", "number", "at")

    def __init__(self, cloud_event, at):
        self.uid, epoch, sequence = cloud_event["id"].rsplit(".", 2)
        self.name = cloud_event["source"].removeprefix("/connections/")
        self.epoch, self.sequence, self.at = int(epoch), int(sequence), at
        data = cloud_event.get("data")
        self.number = data.get("sequence") if isinstance(data, dict) else None


class Ledger:
    """Checks every event by connection, epoch and sequence."""

    def __init__(self):
        self.events = collections.defaultdict(list)
        self._lock = threading.Lock()

    def sort(self):
        """What one broker took may become known before what another took earlier."""
        with self._lock:
            for events in self.events.values():
                events.sort(key=lambda event: event.at)

    def add(self, cloud_event, at):
        event = Event(cloud_event, at)
        with self._lock:
            self.events[event.name].append(event)

    @property
    def count(self):
        with self._lock:
            return sum(map(len, self.events.values()))

    def of(self, name):
        with self._lock:
            return list(self.events[name])

    def last(self, name):
        """When it published last; 0 if never."""
        with self._lock:
            events = self.events[name]
            return events[-1].at if events else 0

    def names(self):
        with self._lock:
            return list(self.events)

    def check_ids(self):
        """No sequence twice under one epoch; no epoch after a higher one; no hole in an epoch."""
        for name in self.names():
            highest, last = 0, {}
            for event in self.of(name):
                assert event.epoch >= highest, f"{name}: epoch {event.epoch} after {highest}"
                highest = event.epoch
                key = (event.uid, event.epoch)
                expected = last.get(key, 0) + 1
                assert event.sequence == expected, (
                    f"{name}: {event.sequence} in epoch {event.epoch}, {expected} was due")
                last[key] = event.sequence

    def holes(self, since=0.0):
        """Name → numbers of the market that are missing between the first and the last seen."""
        return self._compare(since, lambda numbers: sorted(
            set(range(min(numbers), max(numbers) + 1)) - set(numbers)))

    def repeats(self, since=0.0):
        """Name → numbers of the market that came more than once."""
        return self._compare(since, lambda numbers: [
            n for n, times in collections.Counter(numbers).items() if times > 1])

    def _compare(self, since, body):
        found = {}
        for name in self.names():
            numbers = [e.number for e in self.of(name) if e.at >= since]
            if numbers and (result := body(numbers)):
                found[name] = result
        return found

    def silence(self, names, start):
        """Seconds from `start` until each of these published again."""
        return {name: min((e.at for e in self.of(name) if e.at > start), default=None)
                for name in names}


def distribution(values):
    """Median, nine tenths, most: for a note."""
    values = sorted(values)
    nine = values[min(len(values) - 1, int(len(values) * 0.9))]
    return (f"n={len(values)} median={statistics.median(values):.2f} p90={nine:.2f} "
            f"max={values[-1]:.2f}")


class Acceptances:
    """What the brokers behind several stand-ins took, in the order of one clock, into a ledger.
    Stand-ins may be added to the list as long as it is read."""

    def __init__(self, sidecars, topic, ledger):
        self.sidecars, self.topic, self.ledger = sidecars, topic, ledger
        self.positions = collections.Counter()

    def read(self):
        """Everything that came since; the ledger has it when this returns."""
        taken = []
        for index, sidecar in enumerate(self.sidecars):
            events, self.positions[index] = sidecar.accepted_since(
                self.positions[index], self.topic)
            taken += [(item["at"], item["event"]) for item in events]
        for at, event in sorted(taken, key=lambda pair: pair[0]):
            self.ledger.add(event, at)
        self.ledger.sort()
        return self.ledger


def serving(client):
    """Shards that somebody serves, and names of living members."""
    view = client.v1.GetCluster(v1.GetClusterRequest(), timeout=CALL)
    alive = [m.instance for m in view.members if m.state == "alive"]
    return view.shard_count - view.unserved, sorted(alive)


def wait_settled(member, names, timeout=90):
    """Everybody is a member, and every shard is served."""
    eventually(
        lambda: serving(member.client) == (256, sorted(names)), timeout,
        lambda: f"{serving(member.client)}", 0.1)


def market(feed, count, rate=4, prefix="m", last=1):
    """Manifests of connections to a feed that sends every socket the same numbered ticks, and at once
    the last ones."""
    return {
        "apiVersion": "wsm.virtufin.com/v1", "kind": "ConnectionSet",
        "metadata": {"name": prefix},
        "spec": {
            "name": prefix + "-{{n}}", "matrix": {"n": [str(n) for n in range(count)]},
            "template": {"spec": {
                "url": feed.url(f"/market?symbol={{{{n}}}}&rate={rate}&last={last}"), "topic": "market"}},
        },
    }
