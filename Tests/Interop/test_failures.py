"""What has gone wrong elsewhere (the table of known failures), through the real program."""

import socket
import threading

import pytest

from client import connection
from refusals import refused
from waiting import eventually, stays

FAST = {"base": "100ms", "cap": "500ms"}
ALERT = {"pingInterval": "200ms", "pongTimeout": "300ms"}


def apply_one(client, peer, path, own, **spec):
    spec.setdefault("reconnect", FAST)
    client.apply(connection(own, peer.url(path), **spec), set=own)


# A peer that falls silent


def test_a_mute_peer_is_left_for_a_new_socket(client, peer, name):
    own = name()
    path = f"/echo/{own}"
    apply_one(client, peer, path, own, topic=own, keepalive=ALERT)
    client.wait_ready(own)
    session = peer.session(path)
    eventually(lambda: session.pings >= 2, 5, "pings")
    assert session.is_open
    session.go_mute()
    eventually(lambda: len(peer.opened(path)) == 2, 5, lambda: client.status(own))
    fresh = peer.opened(path)[1]
    # At the latest an interval and a pong timeout after its last word, plus the back-off.
    eventually(lambda: session.closed_at, 5, "the end of the mute socket")
    events = client.events(connection=own, replay=True)
    error = events.wait_for(lambda e: e["type"].endswith(".error"))
    assert "pong" in (error["data"]["error_type"] + error["data"]["error_message"]).lower()
    # No pong that the old socket owed is held against the new one.
    stays(lambda: fresh.is_open, 1.0, "the new socket was closed too")
    assert len(peer.opened(path)) == 2
    client.delete(own)


def test_a_peer_silent_from_the_start(client, peer, name):
    own = name()
    path = f"/silent/{own}"
    apply_one(client, peer, path, own, keepalive=ALERT)
    eventually(lambda: len(peer.dials(path)) >= 3, 10, "redials")
    peer.override(path, "mute")
    client.wait_ready(own)
    assert peer.max_open[path] == 1 or len(peer.live(path)) == 1
    client.delete(own)


def test_without_pings_silence_is_no_fault(client, peer, name):
    own = name()
    path = f"/mute/{own}"
    apply_one(client, peer, path, own, topic=own, keepalive={"pingInterval": "0s"})
    client.wait_ready(own)
    session = peer.session(path)
    session.go_mute()
    stays(lambda: session.is_open and len(peer.dials(path)) == 1, 0.8, "closed without any ping")
    assert session.pings == 0
    client.delete(own)


# Dials that fail


def test_accept_then_close_does_not_reset_the_backoff(client, peer, name):
    own = name()
    path = f"/drop/{own}"
    apply_one(client, peer, path, own, reconnect={"base": "200ms", "cap": "2s"})
    eventually(lambda: len(peer.dials(path)) >= 5, 20, "five dials")
    times = [session.opened_at for session in peer.opened(path)]
    gaps = [later - earlier for earlier, later in zip(times, times[1:])]
    assert min(gaps) >= 0.18, gaps
    assert sum(gaps[:4]) < 8, gaps
    status = client.status(own)
    assert status["attempt"] >= 4, "the attempts count from zero again"
    stays(lambda: len(peer.dials(path)) <= 20, 1.0, "a storm of dials")
    peer.override(path, "mute")
    client.wait_ready(own)
    assert client.status(own)["attempt"] >= 4, "up for a moment is not stable"
    client.delete(own)


def test_a_stable_link_counts_from_zero_again(client, peer, name):
    own = name()
    path = f"/status/{own}"
    apply_one(client, peer, path, own,
              reconnect={"base": "50ms", "cap": "100ms", "stableAfter": "500ms"})
    client.wait_object(own, lambda o: o.attempt >= 4)
    peer.override(path, "mute")
    client.wait_ready(own)
    session = peer.session(path)
    stays(lambda: session.is_open, 0.7, "closed")
    session.drop()
    eventually(lambda: client.get(own).ready and len(peer.opened(path)) == 2, 10)
    assert client.get(own).attempt <= 1
    client.delete(own)


def test_a_handshake_that_hangs_ends_by_its_deadline(client, peer, name):
    own = name()
    path = f"/hang/{own}"
    apply_one(client, peer, path, own, timeouts={"dial": "800ms", "upgrade": "400ms",
                                                 "connect": "400ms", "tls": "400ms",
                                                 "resolve": "400ms"})
    eventually(lambda: len(peer.dials(path)) >= 3, 10, "redials")
    for session in peer.dials(path)[:2]:
        eventually(lambda: session.closed_at, 5)
        assert 0.3 <= session.closed_at - session.accepted_at <= 1.5
    assert client.status(own)["lastError"]["code"] == "timedOut"
    peer.override(path, "mute")
    client.wait_ready(own)
    client.delete(own)


def test_a_tls_handshake_that_hangs_ends_by_its_deadline(client, name):
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        own = name()
        client.apply(
            connection(own, f"wss://127.0.0.1:{listener.getsockname()[1]}/", reconnect=FAST,
                       timeouts={"tls": "300ms"}), set=own)
        listener.settimeout(10)
        first, _ = listener.accept()
        second, _ = listener.accept()
        assert client.status(own)["lastError"]["code"] == "timedOut"
        assert "tls" in client.get(own).last_error
        first.close()
        second.close()
        client.delete(own)


def test_attempts_are_exhausted_and_an_edit_revives(client, peer, name):
    own = name()
    path = f"/status/{own}"
    apply_one(client, peer, path, own, reconnect={"base": "50ms", "cap": "50ms", "maxAttempts": 3})
    client.wait_object(own, lambda o: o.stalled and o.reason == "AttemptsExhausted")
    assert client.get(own).phase == "Stalled"
    assert client.listed(own).status == "disconnected"
    stays(lambda: len(peer.dials(path)) == 3, 0.5, "dialled on")
    apply_one(client, peer, f"/mute/{own}", own,
              reconnect={"base": "50ms", "cap": "50ms", "maxAttempts": 3})
    client.wait_ready(own)
    assert not client.get(own).stalled
    client.delete(own)


# Stopping


@pytest.mark.parametrize("verb", ["disconnect", "delete"])
def test_no_dial_after_a_stop_during_the_backoff(client, peer, name, verb):
    path = f"/mute/{name()}"
    if verb == "disconnect":
        own = client.connect(peer.url(path), True).id
    else:
        own = name()
        apply_one(client, peer, path, own)
        client.wait_ready(own)
    peer.override(path, "status", code=500)
    peer.session(path).drop()
    eventually(lambda: len(peer.dials(path)) >= 2, 10, "a failed redial")
    eventually(lambda: client.get(own).phase == "Reconnecting", 5)
    getattr(client, verb)(own)
    dials = len(peer.dials(path))
    # One that was on its way may still arrive, but is not new.
    stays(lambda: len(peer.dials(path)) == dials, 1.5, "a dial after the stop was acknowledged")


@pytest.mark.parametrize("verb", ["disconnect", "delete"])
def test_no_dial_after_a_stop_during_the_handshake(client, peer, name, verb):
    path = f"/mute/{name()}"
    if verb == "disconnect":
        own = client.connect(peer.url(path), True).id
    else:
        own = name()
        apply_one(client, peer, path, own)
        client.wait_ready(own)
    peer.override(path, "slow", ms=700)
    peer.session(path).drop()
    eventually(lambda: len(peer.dials(path)) == 2, 10, "the redial")
    getattr(client, verb)(own)
    dialling = peer.dials(path)[1]
    eventually(lambda: dialling.closed_at, 3, "the end of the dial")
    stays(lambda: len(peer.dials(path)) == 2, 1.0, "a dial after the stop was acknowledged")
    assert not peer.live(path)


def test_a_stop_during_the_first_connect(client, peer, name):
    own = name()
    path = f"/slow/{own}"
    client.apply(connection(own, peer.url(path + "?ms=700")), set=own)
    eventually(lambda: peer.dials(path), 10, "the dial")
    client.delete(own)
    eventually(lambda: peer.dials(path)[0].closed_at, 3, "the end of the dial")
    stays(lambda: len(peer.dials(path)) == 1, 1.0, "a dial after Delete")


# One among many


def test_one_dead_endpoint_delays_no_other(new_server, peer, new_peer, name):
    """The good ones share the server with dials that hang, and reconnect as if alone."""
    client = new_server("--dial-concurrency", "8").client
    set, dead = name("many"), new_peer()
    documents = [
        connection(f"{set}-{n:02}", peer.url(f"/mute/{set}/{n:02}"), reconnect=FAST)
        for n in range(99)]
    hung = connection(f"{set}-dead", dead.url("/hang/x"), reconnect=FAST)
    client.apply(*documents, hung, set=set)
    names = [d["metadata"]["name"] for d in documents]
    client.wait_ready(*names)
    assert dead.dials("/hang/x")
    sessions = [peer.session(f"/mute/{set}/{n:02}") for n in range(99)]
    for session in sessions:
        session.drop()
    dropped = max(eventually(lambda: s.closed_at, 5) for s in sessions)
    paths = [f"/mute/{set}/{n:02}" for n in range(99)]
    eventually(lambda: all(len(peer.opened(p)) == 2 for p in paths), 10, "99 redials", 0.05)
    last = max(peer.opened(p)[1].opened_at for p in paths)
    # Back-off of the first attempt: at most three times the base, 300 ms.
    assert last - dropped < 3, f"the last one came back after {last - dropped:.2f} s"
    client.wait_ready(*names)
    assert not client.get(f"{set}-dead").ready


def test_never_two_sockets_of_one_connection(client, peer, name):
    """100 slow handshakes, edited and dropped while they dial."""
    set = name("slow")
    paths = [f"/slow/{set}/{n:03}" for n in range(100)]

    def documents(version):
        return [
            connection(f"{set}-{n:03}", peer.url(path + "?ms=300"), reconnect=FAST,
                       headers={"X-Version": str(version)})
            for n, path in enumerate(paths)]

    client.apply(*documents(1), set=set)
    eventually(lambda: sum(bool(peer.dials(p)) for p in paths) >= 50, 10, "dials", 0.02)
    client.apply(*documents(2), set=set)
    names = [f"{set}-{n:03}" for n in range(100)]
    client.wait_ready(*names, timeout=30)
    for path in paths[:50]:
        peer.live(path)[0].drop()
    client.apply(*documents(3), set=set)
    client.apply(*documents(4), set=set)
    eventually(lambda: all(
        [s.headers["x-version"] for s in peer.live(p)] == ["4"] for p in paths), 30,
        "one socket each, of the newest version", 0.05)
    client.wait_ready(*names, timeout=30)
    assert {peer.max_open[path] for path in paths} == {1}
    for path in paths:
        ordered = sorted(peer.dials(path), key=lambda s: s.accepted_at)
        for earlier, later in zip(ordered, ordered[1:]):
            assert earlier.closed_at is not None
            # The peer hears of an end a little later than it happened.
            assert later.accepted_at > earlier.closed_at - 0.25, "two dials at one time"
    client.apply(set=set, prune=True, allow_empty=True, max_prune="100%")


def test_the_first_message_that_comes_with_the_101_is_delivered_once(client, peer, name):
    set = name("first")
    reader = client.subscribe(set)
    documents = [
        connection(f"{set}-{n:02}", peer.url(f"/first/{set}/{n:02}?count=3"), topic=set,
                   reconnect=FAST) for n in range(20)]
    client.apply(*documents, set=set)
    names = [d["metadata"]["name"] for d in documents]
    client.wait_ready(*names)
    reader.wait(60)
    for n in range(20):
        peer.session(f"/first/{set}/{n:02}").drop()
    reader.wait(120, 20)
    stays(lambda: len(reader.items) == 120, 0.3, "a message twice")
    for own in names:
        mine = [m for m in reader.items if m.connection == own]
        assert [bytes(m.data).decode() for m in mine] == ["first 1", "first 2", "first 3"] * 2
        assert [m.sequence for m in mine] == list(range(mine[0].sequence, mine[0].sequence + 6))
    client.apply(set=set, prune=True, allow_empty=True, max_prune="100%")


def test_a_reload_of_unchanged_manifests_reconnects_nothing(client, peer, name):
    set = name("reload")
    documents = [
        connection(f"{set}-{n:02}", peer.url(f"/mute/{set}/{n:02}"), topic=set) for n in range(50)]
    client.apply(*documents, set=set)
    client.wait_ready(*(d["metadata"]["name"] for d in documents))
    reader = client.subscribe(set)
    session = peer.session(f"/mute/{set}/07")

    def is_subscribed():
        session.send("probe")
        return reader.items

    eventually(is_subscribed, 10, "the subscriber")
    done = threading.Event()

    def talk():
        for n in range(300):
            session.send(f"m{n}")
        done.set()

    threading.Thread(target=talk, daemon=True).start()
    reloads = 0
    while not done.is_set() or reloads < 5:
        reply = client.apply(*documents, set=set, prune=True)
        assert reply.summary.unchanged == 50 and reply.summary.cut_sockets == 0
        reloads += 1
    assert [len(peer.dials(f"/mute/{set}/{n:02}")) for n in range(50)] == [1] * 50
    reader.wait_for(lambda m: bytes(m.data) == b"m299")
    sequences = [m.sequence for m in reader.items]
    assert sequences == list(range(sequences[0], sequences[0] + len(sequences)))
    # And the accident: an empty directory.
    with refused("FAILED_PRECONDITION", "prune guard:"):
        client.apply(set=set, prune=True)
    stays(lambda: all(len(peer.live(f"/mute/{set}/{n:02}")) == 1 for n in range(50)), 0.3,
          "torn down by a refused prune")
    client.apply(set=set, prune=True, allow_empty=True, max_prune="100%")


# A peer that breaks the protocol


@pytest.mark.parametrize(
    "target, code", [("/bad-utf8", 1007), ("/bad-rsv", 1002), ("/bad-opcode", 1002),
                     ("/masked", 1002), ("/large?size=1048577", 1009)])
def test_a_broken_frame_closes_with_its_code_and_is_not_published(client, feed, name, target, code):
    own = name()
    reader = client.subscribe(own)
    client.apply(connection(own, feed.url(target), topic=own, reconnect=FAST), set=own)
    client.wait_object(own, lambda o: o.last_error)
    status = client.status(own)
    assert status["lastClose"]["code"] == code and status["lastClose"]["by"] == "local"
    assert status["lastError"]["class"] == "policy"
    assert reader.items == []
    client.delete(own)


def test_odd_but_right_frames_arrive_whole(client, feed, name):
    own = name()
    reader = client.subscribe(own)
    client.apply(connection(own, feed.url("/fragments?part=1"), topic=own), set=own)
    assert bytes(reader.wait(1)[0].data).decode() == "fragmented: grün, 緑, 🟢"
    client.delete(own)
    client.apply(connection(own, feed.url("/large?size=1048576&kind=binary"), topic=own), set=own)
    reader.wait(2)
    assert bytes(reader.items[1].data) == b"x" * (1 << 20)
    client.delete(own)


def test_a_close_by_the_server_is_kept_with_its_reason(client, peer, name):
    own = name()
    path = f"/mute/{own}"
    apply_one(client, peer, path, own, reconnect={"base": "30s", "cap": "30s"})
    client.wait_ready(own)
    peer.session(path).close(4007, "go away")
    client.wait_object(own, lambda o: not o.ready)
    close = client.status(own)["lastClose"]
    assert (close["code"], close["reason"], close["by"]) == (4007, "go away", "remote")
    assert peer.dials(path)[0].close_code == 4007, "the close frame was not answered in kind"
    client.delete(own)
