"""The bus on Dapr: order, arrays, bulk calls, faults and outages, as the broker saw them."""

import base64
import collections
import json

import pytest

from client import connection
from dapr_fixtures import needs_switches
from waiting import eventually, stays

pytestmark = needs_switches("it reads what the broker of the stand-in took")


class Fleet:
    """A server with `--bus dapr` and one connection to a peer that a test sends by."""

    def __init__(self, new_server, new_peer, sidecar, name, *flags, **spec):
        self.sidecar, self.name, self.topic = sidecar, name, f"t.{name}"
        self.life = new_server("--bus", "dapr", *sidecar.server_arguments, *flags)
        self.client = self.life.client
        self.peer = new_peer()
        self.spec = spec
        self.apply()
        self.client.wait_ready(name)
        self.session = self.peer.session(f"/mute/{name}")

    def apply(self, **changes):
        self.spec |= changes
        url = self.peer.url(f"/mute/{self.name}")
        self.client.apply(connection(self.name, url, topic=self.topic, **self.spec), set=self.name)

    def send(self, numbers):
        for number in numbers:
            self.session.send(json.dumps({"n": number, "pad": "x" * 50}))

    @property
    def events(self):
        return self.sidecar.accepted(self.topic)

    @property
    def numbers(self):
        """Of every message the broker has, repeated ones too."""
        return [data["n"] for event in self.events for data in _data(event)]

    def status(self):
        return self.client.status(self.name)


def _data(event):
    if event["type"].endswith(".messages"):
        return [element["data"] for element in event["data"]]
    return [event["data"]]


@pytest.fixture
def fleet(new_server, new_peer, new_sidecar, name):
    def make(*flags, sidecar=None, **spec):
        return Fleet(new_server, new_peer, sidecar or new_sidecar("state.sqlite"), name(), *flags,
                     **spec)
    return make


def test_messages_reach_the_broker_in_order_as_cloudevents(fleet):
    fleet = fleet()
    fleet.send(range(300))
    eventually(lambda: len(fleet.events) >= 300, 20, "300 events")
    assert fleet.numbers == list(range(300))
    events = fleet.events
    assert [event["sequence"] for event in events] == [str(n) for n in range(1, 301)]
    first = events[0]
    assert first["id"].endswith(f".{first['epoch']}.1") and first["specversion"] == "1.0"
    assert first["type"] == "com.virtufin.websocketmanager.message"
    assert first["source"] == f"/connections/{fleet.name}"
    assert first["websocketid"] == fleet.name
    assert first["topic"] == fleet.topic and first["pubsubname"] == "pubsub"
    assert "BulkPublishEvent" not in fleet.sidecar.calls


def test_bytes_are_kept(fleet):
    fleet = fleet()
    every = bytes(range(256)) * 3
    fleet.session.send(every, "plain \u2028 text")
    eventually(lambda: len(fleet.events) >= 2, 20, "two events")
    binary, text = fleet.events
    assert base64.b64decode(binary["data_base64"]) == every
    assert binary["datacontenttype"] == "application/octet-stream"
    assert text["data"] == "plain \u2028 text" and text["datacontenttype"] == "text/plain"


def test_an_array_holds_many_messages_in_order(fleet):
    fleet = fleet(publish={"batch": "array", "batchDelay": "200ms", "batchMessages": 64})
    fleet.send(range(500))
    fleet.session.send(b"\x00\xff")
    eventually(lambda: sum(len(e["data"]) for e in fleet.events) >= 501, 20, "501 messages")
    events = fleet.events
    assert len(events) < 50, f"{len(events)} events for 501 messages"
    assert all(len(event["data"]) <= 64 for event in events)
    sequences = [e["sequence"] for event in events for e in event["data"]]
    assert sequences == [str(n) for n in range(1, 502)]
    first = events[0]
    assert first["type"] == "com.virtufin.websocketmanager.messages"
    assert first["sequence"] == "1" and first["batchsize"] == str(len(first["data"]))
    assert first["id"].endswith(f".{first['epoch']}.1-{first['batchsize']}")
    assert first["data"][0]["data"]["n"] == 0
    last = events[-1]["data"][-1]
    assert base64.b64decode(last["data_base64"]) == b"\x00\xff"


def test_an_array_is_not_waited_for_longer_than_its_delay(fleet):
    fleet = fleet(publish={"batch": "array", "batchDelay": "1s", "batchMessages": 3})
    fleet.send(range(3))
    # A full one waits for nothing.
    eventually(lambda: len(fleet.events) == 1, 0.9, "the full array")
    fleet.send([3])
    eventually(lambda: len(fleet.events) == 2, 5, "the array of one")


def test_without_order_bulk_calls_are_used(fleet):
    fleet = fleet(publish={"order": "none"})
    fleet.sidecar.faults({"on": "publish", "mode": "delay", "seconds": 0.05})
    fleet.send(range(2000))
    eventually(lambda: len(fleet.events) >= 2000, 30, "2000 events")
    assert sorted(fleet.numbers) == list(range(2000))
    assert fleet.sidecar.calls["BulkPublishEvent"] < 200


@pytest.mark.parametrize("unknown", ["stable", "all"])
def test_a_sidecar_without_bulk_publishing_gets_the_messages_too(fleet, unknown):
    fleet = fleet(publish={"order": "none"})
    fleet.sidecar.switch(bulk_unknown=unknown)
    fleet.send(range(500))
    eventually(lambda: len(fleet.events) >= 500, 30, "500 events")
    assert sorted(fleet.numbers) == list(range(500))


def test_a_partial_failure_is_sent_again_under_the_same_ids(fleet):
    fleet = fleet(publish={"order": "none"})
    fleet.sidecar.faults(
        {"on": "publish", "topic": fleet.topic, "mode": "delay", "seconds": 0.2, "count": 1},
        {"on": "publish", "topic": fleet.topic, "mode": "partial", "fail": 7, "count": 3})
    fleet.send(range(1000))
    eventually(lambda: set(fleet.numbers) == set(range(1000)), 30, "every message")
    ids = collections.defaultdict(set)
    for event in fleet.events:
        ids[event["data"]["n"]].add(event["id"])
    assert all(len(own) == 1 for own in ids.values())
    assert len(fleet.events) > 1000, "nothing was sent twice, so nothing was shown"


@pytest.mark.parametrize("mode", ["error", "applied-error", "unavailable", "lost-reply"])
def test_faults_of_single_calls_cost_neither_message_nor_order(fleet, mode):
    fleet = fleet()
    fleet.sidecar.faults({"on": "publish", "mode": mode, "count": 3, "probability": 0.2})
    fleet.send(range(200))
    eventually(lambda: set(fleet.numbers) >= set(range(200)), 30, "every message")
    first_seen = list(dict.fromkeys(fleet.numbers))
    assert first_seen == list(range(200))
    ids = collections.Counter(event["id"] for event in fleet.events)
    assert len(ids) == 200
    if mode in ("error", "unavailable"):
        assert max(ids.values()) == 1


def outage(fleet):
    fleet.sidecar.faults({"on": "publish", "mode": "error"})


def test_block_loses_nothing_over_an_outage(fleet):
    fleet = fleet(buffer={"messages": 100, "overflow": "block"})
    outage(fleet)
    fleet.send(range(1000))
    fleet.client.wait_object(
        fleet.name, lambda o: json.loads(o.json)["status"]["buffered"]["messages"] >= 87)
    stays(lambda: fleet.session.is_open and not fleet.events, 0.5, "it was cut or got through")
    assert fleet.client.get(fleet.name).phase == "Connected"
    fleet.sidecar.faults()
    eventually(lambda: len(fleet.events) >= 1000, 30, "1000 events")
    assert fleet.numbers == list(range(1000))
    assert not fleet.status().get("dropped")


@pytest.mark.parametrize("policy", ["dropOldest", "dropNewest"])
def test_what_a_policy_drops_in_an_outage_is_counted(fleet, policy):
    fleet = fleet(buffer={"messages": 100, "overflow": policy})
    outage(fleet)
    fleet.send(range(1000))
    dropped = lambda: sum(int(n) for n in fleet.status().get("dropped", {}).values())
    received = lambda: int(fleet.status()["received"]["messages"])
    eventually(lambda: received() == 1000, 20, "all is received")
    eventually(lambda: dropped() >= 900, 5, lambda: f"{dropped()} are dropped")
    fleet.sidecar.faults()
    count = dropped()
    eventually(lambda: len(fleet.events) >= 1000 - count, 30, "what was kept")
    numbers = fleet.numbers
    assert len(numbers) == 1000 - count and numbers == sorted(numbers)
    if policy == "dropOldest":
        assert numbers[-50:] == list(range(950, 1000))
    else:
        assert numbers[:50] == list(range(50))
    assert set(fleet.status()["dropped"]) <= {policy, "bufferFull"}


def test_a_subscriber_sees_what_the_broker_has_and_no_more(fleet):
    fleet = fleet()
    reader = fleet.client.subscribe(fleet.topic)
    outage(fleet)
    fleet.send(range(10))
    stays(lambda: not reader.items, 0.5, "it was shown before the broker had it")
    fleet.sidecar.faults()
    reader.wait(10, 15)
    assert len(fleet.events) == 10
    assert [json.loads(item.data)["n"] for item in reader.items] == list(range(10))


def test_a_restart_of_the_sidecar_cuts_no_socket(fleet):
    fleet = fleet()
    fleet.send(range(50))
    eventually(lambda: len(fleet.events) >= 50, 20, "the first")
    fleet.sidecar.goaway(grace=1, down=0.5)
    fleet.send(range(50, 100))
    eventually(lambda: len(fleet.events) >= 100, 20, "the second")
    assert list(dict.fromkeys(fleet.numbers)) == list(range(100))
    fleet.sidecar.restart()
    fleet.send(range(100, 150))
    eventually(lambda: len(fleet.events) >= 50, 20, "the third")
    assert fleet.session.is_open and len(fleet.peer.requests) == 1


def test_a_message_beyond_the_sidecars_limit_is_refused_for_good(fleet, new_sidecar):
    sidecar = new_sidecar("state.sqlite", "--max-body-size", 1 << 20)
    fleet = fleet("--dapr-max-body-size", "1MiB", sidecar=sidecar, maxMessageSize="4MiB")
    fleet.send([1])
    fleet.session.send(json.dumps({"n": 2, "pad": "x" * (2 << 20)}))
    fleet.send([3])
    eventually(lambda: fleet.numbers == [1, 3], 20, lambda: str(fleet.numbers))
    assert fleet.status()["dropped"] == {"refusedByBus": 1}
    # The server was told of a larger limit than the sidecar has: the same.
    fleet.life.restart("--bus", "dapr", *sidecar.server_arguments)
    fleet.client = fleet.life.client
    fleet.client.wait_ready(fleet.name)
    session = fleet.peer.live(f"/mute/{fleet.name}")[-1]
    session.send(json.dumps({"n": 4, "pad": "x" * (2 << 20)}), '{"n": 5}')
    eventually(lambda: fleet.numbers == [1, 3, 5], 20, lambda: str(fleet.numbers))


def test_the_attributes_of_the_older_service_are_added(fleet):
    fleet = fleet(publish={"attributes": "upstream"})
    fleet.send([1])
    eventually(lambda: fleet.events, 20, "an event")
    event = fleet.events[0]
    assert event["websocketId"] == fleet.name and event["contentType"] == "application/json"
    assert event["websocketUrl"] == event["websocketurl"] and event["timestamp"] == event["time"]


def test_lifecycle_events_go_to_the_broker_too(fleet):
    fleet = fleet()
    topic = "websocketmanager.lifecycle"
    eventually(lambda: fleet.sidecar.accepted(topic), 10, "a lifecycle event")
    event = fleet.sidecar.accepted(topic)[0]
    assert event["subject"] == f"connection/{fleet.name}"
