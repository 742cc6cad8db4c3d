"""A server whose state is in Dapr: what it needs at the start, and what it survives."""

import time

import grpc
import pytest

from client import connection
from dapr_fixtures import STORES, needs_switches
from processes import Server, free_port
from standin import RedisServer
from waiting import eventually, stays


def documents(peer, name, count):
    return [connection(f"{name}-{n}", peer.url(f"/mute/{name}-{n}"), topic=name)
            for n in range(count)]


def patiently(call):
    """The answer, after as many tries as UNAVAILABLE asks for: a busy machine makes leases lapse."""

    def once():
        try:
            return [call()]
        except grpc.RpcError as error:
            if error.code() != grpc.StatusCode.UNAVAILABLE:
                raise
            return None

    return eventually(once, 40, "an answer that is not UNAVAILABLE", 0.5)[0]


@pytest.mark.parametrize("store", STORES)
def test_records_survive_a_kill(new_server, new_peer, new_sidecar, name, store):
    sidecar, peer, own = new_sidecar(store), new_peer(), name()
    flags = ["--state", "dapr", *sidecar.server_arguments]
    life = new_server(*flags)
    wanted = documents(peer, own, 120)
    assert life.client.apply(*wanted, set=own).summary.created == 120
    life.client.wait_ready(*[d["metadata"]["name"] for d in wanted])
    gone = wanted[0]["metadata"]["name"]
    assert patiently(lambda: life.client.delete(gone))
    epoch = life.client.info().epoch
    client = life.restart(*flags)
    names = {d["metadata"]["name"] for d in wanted[1:]}
    # The former life of the instance has to be over for the cluster first.
    eventually(lambda: {o.name for o in client.objects(brief=True) if o.set == own} == names, 60,
               lambda: f"{len(client.objects(brief=True))} of {len(names)} objects", 0.2)
    client.wait_ready(*names, timeout=60)
    assert client.info().epoch > epoch
    again = patiently(lambda: client.apply(*wanted[1:], set=own))
    assert again.summary.unchanged == 119
    # Not even a data directory is left behind.
    assert not (life.data_dir / "state.sqlite").exists()
    for left in names:
        patiently(lambda: client.delete(left))


def refused(tmp_path, *arguments):
    server = Server(tmp_path / "refused", *arguments)
    try:
        assert server.popen.wait(30) == 1
        return server.log
    finally:
        server.kill()


@pytest.mark.parametrize("flags, sentence", [
    (["--state", "dapr", "--state-store-name", "other"],
     "the Dapr sidecar has no state component other (--state-store-name): it has statestore"),
    (["--bus", "dapr", "--pubsub-name", "other"],
     "the Dapr sidecar has no pub/sub component other (--pubsub-name): it has pubsub"),
])
def test_a_missing_component_ends_the_start(new_sidecar, tmp_path, flags, sentence):
    log = refused(tmp_path, *flags, *new_sidecar().server_arguments)
    assert sentence in log


@needs_switches()
@pytest.mark.parametrize("store", ["state.etcd", "state.memcached"])
def test_a_store_that_cannot_hold_ownership_ends_the_start(new_sidecar, tmp_path, store):
    log = refused(tmp_path, "--state", "dapr", *new_sidecar(store).server_arguments)
    assert f"the state component statestore ({store})" in log
    assert "use Redis, PostgreSQL or SQLite" in log


def test_without_a_sidecar_the_start_ends_after_its_time(tmp_path):
    start = time.monotonic()
    log = refused(tmp_path, "--state", "dapr", "--dapr-http-port", free_port(),
                  "--dapr-grpc-port", free_port(), "--dapr-start-timeout", "500ms")
    assert time.monotonic() - start < 10
    assert "--dapr-start-timeout" in log and "cannot be reached" in log


@needs_switches()
def test_a_sidecar_that_starts_is_waited_for(new_sidecar, tmp_path):
    sidecar = new_sidecar("state.sqlite", "--not-ready")
    server = Server(tmp_path / "data", "--state", "dapr", *sidecar.server_arguments)
    try:
        server.wait_for("waiting for the Dapr sidecar")
        stays(lambda: server.is_alive and " ready " not in server.log, 0.3, "it did not wait")
        sidecar.switch(ready=True)
        server.ready()
    finally:
        server.kill()


@needs_switches()
def test_a_token_is_asked_for_and_sent(new_sidecar, tmp_path, new_server):
    sidecar = new_sidecar("state.sqlite", "--api-token", "s3cret-t0ken")
    log = refused(tmp_path, "--state", "dapr", *sidecar.server_arguments)
    assert "DAPR_API_TOKEN must be the same on both sides" in log
    life = new_server("--state", "dapr", *sidecar.server_arguments,
                      env={"DAPR_API_TOKEN": "s3cret-t0ken"})
    assert life.client.info().version
    assert "s3cret-t0ken" not in life.process.log


@needs_switches()
def test_an_outage_of_the_store_cuts_no_socket(new_server, new_peer, new_sidecar, name, tmp_path):
    redis = RedisServer(tmp_path / "redis.log", directory=tmp_path)
    sidecar = new_sidecar("state.redis", redis=redis)
    peer, own = new_peer(), name()
    life = new_server("--state", "dapr", *sidecar.server_arguments)
    client = life.client
    client.apply(*documents(peer, own, 20), set=own)
    client.wait_ready(*[f"{own}-{n}" for n in range(20)])
    redis.kill()
    with pytest.raises(grpc.RpcError) as refusal:
        client.apply(connection(f"{own}-late", peer.url("/mute/late")), set=f"{own}-late")
    assert refusal.value.code() == grpc.StatusCode.UNAVAILABLE
    assert "late" not in [o.name for o in client.objects(brief=True)]
    reader = client.subscribe(own, "OLDEST")
    sessions = [session for session in peer.sessions if session.is_open]
    assert len(sessions) == 20
    for session in sessions:
        session.send('{"during": "outage"}')
    stays(lambda: all(session.is_open for session in sessions), 0.5, "a socket was cut")
    redis.restart()
    try:
        # What came while the instance could not know whether it still owns them waits.
        reader.wait(20, 60)
        patiently(lambda: client.apply(
            connection(f"{own}-after", peer.url("/mute/after")), set=f"{own}-after"))
        client.wait_ready(f"{own}-after")
        assert all(session.is_open for session in sessions)
        names = {o.name for o in client.objects(brief=True)}
        assert names == {f"{own}-{n}" for n in range(20)} | {f"{own}-after"}
        # What was refused stays refused after a restart, too.
        client = life.restart("--state", "dapr", *sidecar.server_arguments)
        eventually(lambda: {o.name for o in client.objects(brief=True)} == names, 60,
                   lambda: str(len(client.objects(brief=True))), 0.2)
    finally:
        life.kill()
        redis.kill()


@needs_switches()
def test_many_statuses_are_few_calls(new_server, new_peer, new_sidecar, name):
    sidecar, peer, own = new_sidecar(), new_peer(), name()
    life = new_server("--state", "dapr", "--dial-rate", "5000", "--dial-burst", "1000",
                      *sidecar.server_arguments)
    wanted = documents(peer, own, 150)
    for document in wanted:
        document["spec"]["reconnect"] = {"base": "50ms", "cap": "200ms"}
    life.client.apply(*wanted, set=own)
    life.client.wait_ready(*[f"{own}-{n}" for n in range(150)], timeout=60)
    before = sidecar.calls["SaveState"]
    begin = time.monotonic()
    for _ in range(3):
        for session in [session for session in peer.sessions if session.is_open]:
            session.drop()
        eventually(lambda: sum(s.is_open for s in list(peer.sessions)) >= 150, 60, "all are back")
    saves = sidecar.calls["SaveState"] - before
    seconds = time.monotonic() - begin
    # 150 flapping sockets: three or four calls for each second, not hundreds.
    assert saves <= 5 * (seconds + 2), f"{saves} calls in {seconds:.1f} s"


def test_settings_of_dapr_are_checked(tmp_path):
    server = Server(tmp_path / "data", "--state", "dapr", env={"DAPR_GRPC_ENDPOINT": "ftp://x"})
    assert server.popen.wait(20) == 2
    assert "DAPR_GRPC_ENDPOINT is ftp://x: ftp is no scheme" in server.log
