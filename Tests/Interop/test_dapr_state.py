"""State store and bus on Dapr against the contracts of their ports, and a real Redis behind them."""

import pytest

from dapr_fixtures import STORES, needs_switches, probe


@pytest.mark.parametrize("store", STORES)
def test_the_contract_of_a_state_store_holds(new_sidecar, store):
    passed, output = probe("state", new_sidecar(store))
    assert passed, output


def test_the_contract_of_a_bus_holds(new_sidecar):
    passed, output = probe("bus", new_sidecar("state.sqlite"), component="pubsub")
    assert passed, output


@pytest.mark.parametrize("store", STORES)
def test_a_store_that_can_hold_ownership_passes_its_trial(new_sidecar, store):
    sidecar = new_sidecar(store)
    passed, output = probe("trial", sidecar)
    assert passed, output


@needs_switches()
@pytest.mark.parametrize("store, sentence", [
    ("state.etcd", "says of a write that lost that it won"),
    ("state.memcached", "has no ETags"),
])
def test_a_store_that_cannot_hold_ownership_is_refused(new_sidecar, store, sentence):
    passed, output = probe("trial", new_sidecar(store))
    assert not passed
    assert f"the state component statestore ({store})" in output and sentence in output


@needs_switches()
def test_a_store_that_only_says_it_compares_fails_its_trial(new_sidecar):
    sidecar = new_sidecar("state.etcd", "--state-called", "state.mongodb")
    passed, output = probe("trial", sidecar)
    assert not passed and "on trial it let a second writer create a key" in output, output


def test_a_component_that_is_not_there_is_named(new_sidecar):
    passed, output = probe("trial", new_sidecar(), component="other")
    assert not passed
    assert "no state component other (--state-store-name): it has statestore" in output


FAULTS = [
    {"on": "state.write", "mode": "applied-error", "probability": 0.15},
    {"on": "state.write", "mode": "error", "probability": 0.1},
    {"on": "state.read", "mode": "error", "probability": 0.05},
    {"on": "state", "mode": "unavailable", "probability": 0.05},
    {"on": "state.write", "mode": "delay", "seconds": 0.05, "probability": 0.2},
    {"on": "state.write", "mode": "lost-reply", "count": 2},
    {"on": "state.write", "mode": "lost-request", "count": 1},
]


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("faults", [[], FAULTS], ids=["calm", "faults"])
def test_no_write_is_lost_and_none_undead(new_sidecar, store, faults):
    sidecar = new_sidecar(store)
    if faults:
        if store == "real":
            pytest.skip("it needs the switches of the stand-in")
        sidecar.faults(*faults)
    passed, output = probe("races", sidecar)
    assert passed, output


@needs_switches()
def test_many_records_are_written_in_groups(new_sidecar):
    sidecar = new_sidecar()
    passed, output = probe("groups", sidecar)
    assert passed, output
    # 1,000 records: ten calls of a hundred, each read back; then all of them read at once.
    assert sidecar.calls["SaveState"] == 10
    assert sidecar.calls["GetBulkState"] == 10 + 5


@needs_switches()
def test_an_answer_beyond_the_message_limit_is_asked_for_in_parts(new_sidecar):
    sidecar = new_sidecar("state.redis", "--max-body-size", 1 << 20)
    passed, output = probe("large", sidecar)
    assert passed, output
