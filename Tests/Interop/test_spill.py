"""Policy `spill`: what an outage holds back waits on the disk, survives a kill and goes out in order."""

import json
import pathlib

import pytest

from dapr_fixtures import needs_switches
from test_dapr_bus import Fleet
from waiting import eventually

pytestmark = needs_switches("it needs an outage, and what the broker took")
SPILL = {"messages": 100, "overflow": "spill"}


@pytest.fixture
def fleet(new_server, new_peer, new_sidecar, name):
    def make(**spec):
        fleet = Fleet(new_server, new_peer, new_sidecar("state.sqlite"), name(), **spec)
        fleet.sidecar.faults({"on": "publish", "topic": fleet.topic, "mode": "error"})
        return fleet
    return make


def buffered(fleet):
    return int(fleet.status().get("buffered", {}).get("messages", 0))


def spilled(fleet):
    return sorted((pathlib.Path(fleet.life.data_dir) / "spill").glob("*/*.spill"))


def test_an_outage_costs_neither_message_nor_order(fleet):
    fleet = fleet(buffer=SPILL)
    fleet.send(range(2000))
    eventually(lambda: buffered(fleet) == 2000, 30, lambda: f"{buffered(fleet)} are buffered")
    assert spilled(fleet) and fleet.session.is_open
    # The socket was read to the end: nothing waits in TCP.
    assert int(fleet.status()["received"]["messages"]) == 2000
    fleet.sidecar.faults()
    fleet.send(range(2000, 2200))
    eventually(lambda: len(fleet.events) >= 2200, 60, lambda: f"{len(fleet.events)} events")
    assert fleet.numbers == list(range(2200))
    assert [event["sequence"] for event in fleet.events] == [str(n) for n in range(1, 2201)]
    eventually(lambda: not spilled(fleet), 10, "an empty disk")
    assert not fleet.status().get("dropped")


def test_what_is_on_the_disk_survives_a_kill_under_its_ids(fleet):
    fleet = fleet(buffer=SPILL)
    fleet.send(range(1500))
    eventually(lambda: buffered(fleet) == 1500, 30, "all is buffered")
    epoch = fleet.client.info().epoch
    fleet.client = fleet.life.restart()
    assert fleet.client.info().epoch > epoch
    fleet.client.wait_ready(fleet.name)
    fleet.session = fleet.peer.live(f"/mute/{fleet.name}")[-1]
    fleet.send(range(1500, 1600))
    eventually(lambda: buffered(fleet) >= 1400, 20, lambda: f"{buffered(fleet)} are buffered")
    fleet.sidecar.faults()
    eventually(lambda: 1599 in fleet.numbers, 60, "the newest message")
    numbers = fleet.numbers
    first = list(dict.fromkeys(numbers))
    # What memory held went with the process: the oldest, fewer than its bound and one read.
    assert first == list(range(first[0], 1600)) and first[0] <= 500
    events = {event["data"]["n"]: event for event in fleet.events}
    assert {int(e["epoch"]) for n, e in events.items() if n < 1500} == {epoch}
    assert all(int(events[n]["sequence"]) == n + 1 for n in range(first[0], 1500))
    assert {int(e["epoch"]) for n, e in events.items() if n >= 1500} > {epoch} or all(
        int(events[n]["epoch"]) > epoch for n in range(1500, 1600))


def test_an_orderly_end_keeps_all_of_it(fleet, tmp_path):
    fleet = fleet(buffer=SPILL)
    fleet.life.restart("--bus", "dapr", *fleet.sidecar.server_arguments, "--drain-timeout", "500ms")
    fleet.client = fleet.life.client
    fleet.client.wait_ready(fleet.name)
    fleet.session = fleet.peer.live(f"/mute/{fleet.name}")[-1]
    fleet.send(range(1000))
    eventually(lambda: buffered(fleet) == 1000, 30, "all is buffered")
    fleet.client.close()
    code, _ = fleet.life.process.terminate()
    assert code == 0 and "messages were still buffered" not in fleet.life.process.log
    fleet.life.client = None
    fleet.sidecar.faults()
    fleet.client = fleet.life.start()
    eventually(lambda: len(set(fleet.numbers)) >= 1000, 60, lambda: f"{len(fleet.numbers)}")
    assert list(dict.fromkeys(fleet.numbers)) == list(range(1000))


def test_the_disk_is_bounded_and_what_does_not_fit_is_counted(fleet):
    fleet = fleet(buffer=SPILL | {"spill": {"bytes": "1MiB"}})
    big = "x" * 2000
    for number in range(1500):
        fleet.session.send(json.dumps({"n": number, "pad": big}))
    eventually(lambda: int(fleet.status()["received"]["messages"]) == 1500, 30, "all is received")
    dropped = int(fleet.status()["dropped"]["spillFull"])
    assert dropped == 1500 - buffered(fleet) > 0
    assert sum(path.stat().st_size for path in spilled(fleet)) < 2 << 20
    fleet.sidecar.faults()
    eventually(lambda: len(fleet.events) >= 1500 - dropped, 60, "what was kept")
    assert fleet.numbers == list(range(1500 - dropped))


def test_a_deleted_connection_leaves_nothing_on_the_disk(fleet):
    fleet = fleet(buffer=SPILL)
    fleet.send(range(1000))
    eventually(lambda: spilled(fleet), 20, "a file")
    fleet.client.delete(fleet.name)
    fleet.sidecar.faults()
    eventually(lambda: not spilled(fleet), 40, "an empty disk")
    # A deleted connection publishes for some seconds more what it has, in order.
    numbers = list(dict.fromkeys(fleet.numbers))
    assert numbers == list(range(len(numbers))) and numbers
