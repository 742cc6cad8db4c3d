"""SIGTERM: an orderly end."""

import pathlib
import signal
import sqlite3

import grpc
import pytest

from client import connection
from cluster import wait_settled
from waiting import eventually, stays


def fleet(client, peer, count, kind="mute"):
    documents = [
        connection(f"{kind}{n:02}", peer.url(f"/{kind}/{n}"), topic="all") for n in range(count)]
    client.apply(*documents)
    client.wait_ready(*(d["metadata"]["name"] for d in documents))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_sockets_are_closed_with_1001_and_the_exit_code_is_0(new_server, new_peer, number):
    life, peer = new_server("--drain-timeout", "5s"), new_peer()
    fleet(life.client, peer, 20)
    id = life.client.connect(peer.url("/mute/api"), False).id
    life.process.popen.send_signal(number)
    assert life.process.popen.wait(6) == 0
    assert len(peer.requests) == 21
    eventually(lambda: all(s.closed_at for s in peer.requests), 5, "the end of all sockets")
    assert {s.close_code for s in peer.requests} == {1001}
    client = life.restart()
    assert len(client.objects(brief=True)) == 21
    client.wait_ready(*(f"mute{n:02}" for n in range(20)))
    # An orderly end is no reason to dial what is dialled only once.
    assert client.listed(id).status == "disconnected"
    assert len(peer.dials("/mute/api")) == 1


def test_a_signal_that_comes_twice_at_once_is_one(new_server, new_peer):
    """`timeout` and shells signal the process and its group."""
    life, peer = new_server("--drain-timeout", "3s"), new_peer()
    fleet(life.client, peer, 1)
    peer.session("/mute/0").go_mute()
    for number in (signal.SIGTERM, signal.SIGTERM, signal.SIGINT):
        life.process.popen.send_signal(number)
    assert life.process.popen.wait(8) == 0
    assert "stopped" in life.process.log


def test_a_member_whose_store_was_emptied_closes_its_sockets_and_ends_with_1(
        new_server, new_peer):
    life, peer = new_server("--shared-state", "--instance-id", "one"), new_peer()
    wait_settled(life, ["one"])
    fleet(life.client, peer, 5)
    store = sqlite3.connect(pathlib.Path(life.data_dir) / "state.sqlite", timeout=10)
    with store:
        store.execute("DELETE FROM state WHERE key = 'wsm/meta'")
    store.close()
    assert life.process.popen.wait(20) == 1
    assert "the state store was emptied" in life.process.log
    assert {s.close_code for s in peer.requests} == {1001}


def test_a_second_signal_ends_it_at_once(new_server, new_peer):
    life, peer = new_server("--drain-timeout", "30s"), new_peer()
    client = life.client
    client.apply(connection("slow", peer.url("/mute/slow"), timeouts={"close": "30s"}))
    client.wait_ready("slow")
    peer.session("/mute/slow").go_mute()
    life.process.popen.terminate()
    life.process.wait_for("stopping")
    stays(lambda: life.process.is_alive, 1.1, "gone before the second signal")
    life.process.popen.terminate()
    assert life.process.popen.wait(5) == 130


def test_it_ends_at_once_where_all_is_done(new_server):
    life = new_server("--drain-timeout", "20s")
    code, seconds = life.process.terminate(8)
    assert code == 0 and seconds < 3, f"{code} after {seconds} s"


def test_a_peer_that_does_not_answer_holds_it_up_no_longer_than_the_drain_timeout(
        new_server, new_peer):
    life, peer = new_server("--drain-timeout", "2s"), new_peer()
    fleet(life.client, peer, 3)
    for session in list(peer.sessions):
        session.go_mute()
    life.client.apply(connection("dialling", peer.url("/hang/x")), set="hang")
    eventually(lambda: peer.dials("/hang/x"), 10, "the dial")
    code, seconds = life.process.terminate(8)
    assert code == 0 and seconds < 4, f"{code} after {seconds} s"


def test_streams_end_with_unavailable(new_server, new_peer):
    life, peer = new_server("--drain-timeout", "5s"), new_peer()
    client = life.client
    fleet(client, peer, 2)
    readers = [client.subscribe("all"), client.events(), client.watch()]
    eventually(lambda: readers[2].items, 10, "the first of the watch")
    code, seconds = life.process.terminate(8)
    assert code == 0 and seconds < 6, f"{code} after {seconds} s"
    for reader in readers:
        error = reader.end()
        assert error is not None, "the stream ended as if all were said"
        assert error.code() == grpc.StatusCode.UNAVAILABLE, error


def test_what_was_received_is_published_before_the_end(new_server, new_peer):
    life, peer = new_server("--drain-timeout", "5s"), new_peer()
    client = life.client
    fleet(client, peer, 1)
    reader = client.subscribe("all")
    session = peer.session("/mute/0")

    def is_subscribed():
        session.send("probe")
        return reader.items

    eventually(is_subscribed, 10, "the subscriber")
    session.send(*[f"m{n}" for n in range(2000)])
    eventually(lambda: client.get("mute00").received >= 2000, 10, "all received")
    code, _ = life.process.terminate(8)
    assert code == 0
    reader.end()
    texts = [bytes(m.data).decode() for m in reader.items]
    assert [t for t in texts if t != "probe"] == [f"m{n}" for n in range(2000)]
