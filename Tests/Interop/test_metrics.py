"""/metrics, read by the parser of Prometheus' own Python client."""

import urllib.request

import pytest
from prometheus_client.parser import text_string_to_metric_families

from client import connection
from waiting import eventually


def scrape(server):
    url = f"http://127.0.0.1:{server.process.http_port}/metrics"
    with urllib.request.urlopen(url, timeout=10) as answer:
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        text = answer.read().decode()
    return text, {family.name: family for family in text_string_to_metric_families(text)}


def value(families, name, **labels):
    found = [sample.value for family in families.values() for sample in family.samples
             if sample.name == name and sample.labels == labels]
    assert len(found) == 1, f"{name} {labels}: {found}"
    return found[0]


def test_every_family_is_typed_and_no_series_is_there_twice(server):
    _, families = scrape(server)
    assert {"counter", "gauge", "histogram"} == {f.type for f in families.values()}
    for family in families.values():
        assert family.documentation
        keys = [(s.name, tuple(sorted(s.labels.items()))) for s in family.samples]
        assert keys and len(keys) == len(set(keys)), family.name


@pytest.mark.parametrize("longest, rests", [("10ms", True), ("0s", False)])
def test_a_loop_that_is_woken_without_a_pause_rests_and_loses_nothing(
        new_server, new_peer, longest, rests):
    life, peer = new_server("--read-coalescing", longest), new_peer()
    names = [f"c{number}" for number in range(20)]
    life.client.apply(*(connection(n, peer.url(f"/mute/{n}"), topic="t") for n in names))
    for name in names:
        life.client.wait_ready(name)
    for number in range(50):
        for name in names:
            peer.session(f"/mute/{name}").send(str(number))

    def published():
        return value(scrape(life)[1], "wsm_publish_total", result="accepted")

    eventually(lambda: published() == 50 * len(names), 20, "all of them in the topic")
    assert (value(scrape(life)[1], "wsm_loop_rests_total") > 0) == rests


def test_what_is_received_is_counted_and_stays_after_a_delete(new_server, new_peer):
    life, peer = new_server(), new_peer()
    before = scrape(life)[1]
    life.client.apply(connection("counted", peer.url("/mute/counted?token=hidden"), topic="t"))
    life.client.wait_ready("counted")
    peer.session("/mute/counted").send("one", "two", "three")

    def texts():
        return value(scrape(life)[1], "wsm_messages_received_total", kind="text")

    eventually(lambda: texts() == 3, 10, "three messages in the sum")
    text, families = scrape(life)
    assert value(families, "wsm_connections", state="connected") == 1
    assert value(families, "wsm_dials_total", result="success", cause="none") == 1
    assert value(families, "wsm_dial_duration_seconds_count") == 1
    assert "hidden" not in text and "counted" not in text
    life.client.apply(prune=True, allow_empty=True)
    eventually(lambda: not life.client.objects(brief=True), 10, "the end of it")
    after = scrape(life)[1]
    assert texts() == 3
    for family in before.values():
        if family.type != "counter":
            continue
        for sample in family.samples:
            assert value(after, sample.name, **sample.labels) >= sample.value, sample


@pytest.mark.parametrize("name", ["wsm_connections", "wsm_dropped_total", "wsm_dials_total"])
def test_no_label_has_an_unbounded_value(server, name):
    _, families = scrape(server)
    assert len(families[name.removesuffix("_total")].samples) < 40
