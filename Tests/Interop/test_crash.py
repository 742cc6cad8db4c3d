"""kill -9, and a new start on the same data directory."""

import bisect
import collections
import random
import threading

import grpc
import pytest

from client import connection, connection_set
from processes import Server
from refusals import refused
from stubs import ws
from waiting import eventually, stays

COUNT = 1000
RATE, BURST = 250, 50


def check_dial_limits(times):
    """The dials as the peer saw them, which is a little later than they were begun.

    A delay of one dial pushes it towards the later ones, never back: the sum since the first is
    exact but for the delay of the first, a window in between is not.
    """
    times = sorted(times)
    for index, time in enumerate(times):
        allowed = BURST + RATE * (time - times[0] + 0.1)
        assert index + 1 <= allowed, f"{index + 1} dials in {time - times[0]:.2f} s"
        in_window = bisect.bisect_left(times, time + 1.0) - index
        assert in_window <= BURST + RATE * 1.5, f"{in_window} dials in one second"
    # They did not come one by one either.
    assert times[-1] - times[0] < 4 * len(times) / RATE


class Applier(threading.Thread):
    """Applies object after object until the server is gone; remembers what was acknowledged."""

    def __init__(self, client, make):
        super().__init__(daemon=True)
        self.client, self.make = client, make
        self.acknowledged = []
        self.tried = 0
        self.start()

    def run(self):
        try:
            while True:
                document = self.make(self.tried)
                self.tried += 1
                self.client.apply(document, set=document["metadata"]["name"])
                self.acknowledged.append(document)
        except (grpc.RpcError, ValueError):
            pass


def identities(reader):
    """How often each (uid, epoch, sequence) came; the id is made of the three."""
    return collections.Counter(message.id for message in list(reader.items))


def test_a_thousand_connections_come_back_within_the_dial_limits(new_server, new_peer, name):
    peer, set = new_peer(), name("fleet")
    life = new_server("--dial-rate", "5000", "--dial-burst", "2000", "--dial-concurrency", "1000")
    client, epoch = life.client, life.client.info().epoch
    rows = [f"{row:04}" for row in range(COUNT - 10)]
    document = connection_set(
        set, set + "-{{row}}", {"url": peer.url("/mute/%s/{{row}}" % set), "topic": set},
        matrix={"row": rows})
    assert client.apply(document, set=set).summary.created == len(rows) + 1
    api = [client.connect(peer.url(f"/mute/{set}/api{n}"), True, tags={"n": str(n)}).id
           for n in range(10)]
    for id in api:
        client.start_publish(id, set)
    members = [f"{set}-{row}" for row in rows]
    client.wait_ready(*members, *api, timeout=60)
    first_life = client.subscribe(set)
    marker = peer.session(f"/mute/{set}/0000")

    def is_subscribed():
        marker.send("marker")
        return first_life.items

    eventually(is_subscribed, 10, "the subscriber")
    for session in list(peer.sessions):
        session.send("one", "two", '{"three":3}')
    first_life.wait(3 * COUNT, 30)
    # Killed in the midst of messages and of applies.
    applier = Applier(client, lambda n: connection(
        f"{set}-late{n}", peer.url(f"/mute/{set}/late{n}"), topic=f"{set}.late"))
    eventually(lambda: len(applier.acknowledged) >= 20, 20, "twenty applies")
    for session in list(peer.sessions)[:200]:
        session.send("more", "and more")
    life.process.kill()
    applier.join(20)
    late = [d["metadata"]["name"] for d in applier.acknowledged]
    eventually(lambda: not any(s.is_open for s in list(peer.sessions)), 20, "the end of all")
    before = len(peer.requests)

    client = life.restart("--dial-rate", str(RATE), "--dial-burst", str(BURST))
    second_life = client.subscribe(set, "OLDEST")
    names = {o.name for o in client.objects(brief=True)}
    expected = {*members, *api, *late}
    assert expected <= names, f"lost: {sorted(expected - names)[:10]}"
    # The one apply that was not acknowledged may be there or not, whole.
    extra = names - expected
    assert len(extra) <= 1 and extra <= {f"{set}-late{applier.tried - 1}"}
    eventually(lambda: len(peer.requests) >= before + len(names), 60,
               lambda: f"{len(peer.requests) - before} of {len(names)} dials", 0.1)
    client.wait_ready(*names, timeout=60)
    assert client.info().epoch > epoch
    assert {o.name: o.set for o in client.objects(brief=True)}[members[0]] == set
    assert dict(client.listed(api[3]).tags) == {"n": "3"}
    assert client.apply(document, set=set, prune=True).summary.unchanged == len(rows) + 1

    dialled = peer.requests[before:]
    per_path = collections.Counter(session.path for session in dialled)
    assert len(per_path) == len(names)
    assert {*per_path.values()} == {1}, per_path.most_common(3)
    check_dial_limits([session.accepted_at for session in dialled])

    for session in dialled:
        if session.is_open and "/late" not in session.path:
            session.send("again", "and again")
    second_life.wait(2 * COUNT, 30)
    ids = identities(first_life) + identities(second_life)
    assert ids.most_common(1)[0][1] == 1, ids.most_common(3)
    assert max(m.epoch for m in first_life.items) < min(m.epoch for m in second_life.items)
    uids = lambda reader: {m.connection: m.id.rsplit(".", 2)[0] for m in list(reader.items)}
    old, new = uids(first_life), uids(second_life)
    assert {name: old[name] for name in new if name in old} == {
        name: new[name] for name in new if name in old}
    stays(lambda: len(peer.requests) == before + len(names), 0.5, "dialled more than once")


def test_what_was_acknowledged_survives_every_kill(new_server, new_peer, name):
    peer, set, life = new_peer(), name("kills"), new_server()
    chance, wanted, epochs = random.Random(7), {}, []
    for round in range(4):
        epochs.append(life.client.info().epoch)
        applier = Applier(life.client, lambda n: connection(
            f"{set}-{round}-{n}", peer.url(f"/mute/{set}"), topic=f"{set}.{round}.{n}"))
        eventually(lambda: len(applier.acknowledged) >= chance.randint(1, 30), 20, "some applies")
        life.process.kill()
        applier.join(20)
        for document in applier.acknowledged:
            wanted[document["metadata"]["name"]] = document
        unanswered = f"{set}-{round}-{applier.tried - 1}"
        life.restart()
        found = {o.name: o for o in life.client.objects()}
        assert wanted.keys() <= found.keys(), wanted.keys() - found.keys()
        assert found.keys() - wanted.keys() <= {unanswered}
        for own, document in wanted.items():
            assert found[own].topic == document["spec"]["topic"]
            assert found[own].set == own
        if unanswered in found and unanswered not in wanted:
            life.client.delete(unanswered)
    assert epochs == sorted({*epochs})


def test_deleted_stays_deleted(new_server, new_peer, name):
    peer, life, own = new_peer(), new_server(), name()
    life.client.apply(connection(own, peer.url(f"/mute/{own}")), set=own)
    life.client.wait_ready(own)
    id = life.client.connect(peer.url("/mute/api"), True).id
    life.client.delete(own)
    life.client.disconnect(id)
    client = life.restart()
    assert client.objects() == [] and client.list() == []
    stays(lambda: len(peer.requests) == 2, 0.5, "dialled what was deleted")


def test_a_second_server_on_the_data_directory_is_refused(new_server, tmp_path):
    life = new_server()
    second = Server(life.data_dir, log=tmp_path / "second.log")
    try:
        assert second.popen.wait(20) == 1
        assert str(life.process.pid) in second.log
        assert str(life.data_dir) in second.log
    finally:
        second.kill()
    # The first has not noticed, and once it is gone the directory is free.
    epoch = life.client.info().epoch
    assert life.restart().info().epoch > epoch


@pytest.mark.parametrize("auto_reconnect", [True, False])
def test_an_unanswered_connect_leaves_no_record(new_server, new_peer, auto_reconnect):
    peer, life = new_peer(), new_server()
    call = life.client.ws.Connect.future(
        ws.ConnectRequest(url=peer.url("/hang/x"), auto_reconnect=auto_reconnect))
    eventually(lambda: peer.dials("/hang/x"), 10, "the dial")
    # A provisional one is nobody's business yet.
    assert life.client.list() == []
    life.process.kill()
    with refused("UNAVAILABLE"):
        call.result(10)
    client = life.restart()
    assert client.list() == [] and client.objects() == []
    assert client.info().connections == 0
    stays(lambda: len(peer.dials("/hang/x")) == 1, 0.7, "an orphan was dialled")


def test_without_auto_reconnect_nothing_is_dialled_after_a_restart(new_server, new_peer, name):
    peer, life = new_peer(), new_server()
    once, never, again = name("once"), name("never"), name("again")
    client = life.client
    client.apply(connection(once, peer.url("/mute/once"), autoReconnect=False), set="x")
    client.apply(connection(never, peer.url("/status/never"), autoReconnect=False), set="y")
    client.apply(connection(again, peer.url("/mute/again")), set="z")
    id = client.connect(peer.url("/mute/api"), False).id
    client.wait_ready(once, again)
    client.wait_object(never, lambda o: o.reason == "ReconnectDisabled")
    client = life.restart()
    client.wait_ready(again)
    for own in (once, never, id):
        client.wait_object(own, lambda o: o.reason == "ReconnectDisabled" and not o.ready)
        assert client.listed(own).status == "disconnected"
    counts = lambda: [len(peer.dials(p)) for p in ("/mute/once", "/status/never", "/mute/api")]
    stays(lambda: counts() == [1, 1, 1], 0.7, lambda: f"dialled again: {counts()}")
    # An edit of the url, and nothing less, gives it another dial.
    client.apply(connection(once, peer.url("/mute/once"), topic="t", autoReconnect=False), set="x")
    stays(lambda: counts() == [1, 1, 1], 0.2, "dialled for a topic")
    client.apply(connection(once, peer.url("/mute/new"), topic="t", autoReconnect=False), set="x")
    client.wait_ready(once)
    assert len(peer.dials("/mute/new")) == 1
