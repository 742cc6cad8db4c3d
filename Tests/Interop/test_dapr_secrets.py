"""`valueFrom: {daprSecret: …}`: fetched from the sidecar at each dial, and shown nowhere."""

import json

from client import connection
from dapr_fixtures import needs_switches

pytestmark = needs_switches("its secret store is the stand-in's")
SECRET = "t0p-s3cret-value"


def secret(name, **more):
    return {"valueFrom": {"daprSecret": {"store": "vault", "name": name, **more}}}


def test_a_secret_of_the_sidecar_reaches_the_remote_only(
        new_server, new_peer, new_sidecar, name, tmp_path):
    secrets = tmp_path / "secrets.json"
    secrets.write_text(json.dumps({"vault": {"feed": {"token": SECRET}, "whole": "w1"}}))
    sidecar = new_sidecar("state.sqlite", "--secrets", secrets)
    life, peer, own = new_server("--bus", "dapr", *sidecar.server_arguments), new_peer(), name()
    headers = {"Authorization": secret("feed", key="token"), "X-Whole": secret("whole")}
    life.client.apply(connection(own, peer.url("/mute/secret"), headers=headers), set=own)
    life.client.wait_ready(own)
    sent = peer.session("/mute/secret").headers
    assert sent["authorization"] == SECRET and sent["x-whole"] == "w1"
    assert SECRET not in json.dumps(life.client.document(own))
    assert SECRET not in life.process.log
    # A part that is not there, and then is.
    wrong = {"Authorization": secret("feed", key="other")}
    life.client.apply(connection(own, peer.url("/mute/wrong"), headers=wrong), set=own)
    waiting = life.client.wait_object(own, lambda o: "dapr:vault/feed/other" in str(o))
    assert "has no part other" in str(waiting) and SECRET not in str(waiting)


def test_without_a_sidecar_the_secret_is_refused(new_server, new_peer, name):
    life, peer, own = new_server(), new_peer(), name()
    headers = {"Authorization": secret("feed")}
    life.client.apply(connection(own, peer.url("/mute/none"), headers=headers), set=own)
    found = life.client.wait_object(own, lambda o: "dapr:vault/feed/feed" in str(o))
    assert "the server has no Dapr sidecar" in str(found)
    assert not peer.dials("/mute/none")
