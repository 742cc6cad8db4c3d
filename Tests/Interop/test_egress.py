"""Whom the server dials: the egress guard over gRPC and in the status of a manifest."""

import grpc
import pytest

from client import connection
from refusals import refused
from waiting import eventually


@pytest.mark.parametrize("url,address", [
    ("ws://10.0.0.1:6379/", "10.0.0.1"),
    ("ws://[fd12:3456::1]/", "fd12:3456::1"),
    ("ws://192.168.0.1/", "192.168.0.1"),
    ("ws://169.254.169.254/latest/meta-data/", "169.254.169.254"),
    ("ws://0xa9fea9fe/", "169.254.169.254"),
    ("ws://[::ffff:169.254.169.254]/", "169.254.169.254"),
    ("ws://[64:ff9b::a9fe:a9fe]/", "169.254.169.254"),
    ("ws://0.0.0.0/", "0.0.0.0"),
])
def test_a_connect_is_denied_by_address_and_flag(client, url, address):
    with refused("PERMISSION_DENIED", address, "--allow-cidr"):
        client.connect(url, True)
    assert client.list() == []


@pytest.mark.parametrize("url", [
    "ws://2130706433/", "ws://0177.0.0.1/", "ws://127.1/", "ws://[fe80::1%25eth0]/",
    "ws://１２７.０.０.１/", "ws://%31%32%37.0.0.1/",
])
def test_odd_spellings_are_no_urls(client, url):
    with refused("INVALID_ARGUMENT", "url"):
        client.connect(url, True)


def test_loopback_is_free_while_the_server_is_bound_to_it(client, peer, name):
    path = f"/mute/{name()}"
    for host in ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0x7f000001"):
        reply = client.connect(peer.url(path).replace("127.0.0.1", host), False)
        client.disconnect(reply.id)
    assert len(peer.dials(path)) == 4


def test_a_range_that_is_allowed_is_dialled(new_server):
    life = new_server("--allow-cidr", "10.255.0.0/16", "--allow-cidr", "fd12::/16")
    with pytest.raises(grpc.RpcError) as caught:
        life.client.connect("ws://10.255.255.1:9/", False)
    # Nobody answers there, or there is no way; but it was tried.
    assert caught.value.code().name in ("UNAVAILABLE", "DEADLINE_EXCEEDED")
    with refused("PERMISSION_DENIED", "10.254.0.1"):
        life.client.connect("ws://10.254.0.1:9/", False)


def test_a_refused_manifest_says_so_in_its_conditions(client, name):
    own = name()
    events = client.events(own, replay=True)
    client.apply(connection(own, "ws://169.254.169.254/latest"), set=own)
    client.wait_object(own, lambda o: o.reason == "AddressRefused" and o.stalled)
    status = client.status(own)
    conditions = {c["type"]: c for c in status["conditions"]}
    assert conditions["Connected"]["status"] == "False"
    assert conditions["Stalled"]["status"] == "True"
    for type in ("Ready", "Connected", "Stalled"):
        assert conditions[type]["reason"] == "AddressRefused"
        assert "169.254.169.254" in conditions[type]["message"]
        assert "--allow-cidr" in conditions[type]["message"]
    error = events.wait_for(lambda e: e["type"].endswith(".connection.error"))
    assert error["data"]["error_type"] == "addressRefused"
    assert "169.254.169.254" in error["data"]["error_message"]
    client.delete(own)


def test_a_private_address_is_a_manifests_to_declare(client, name):
    own = name()
    client.apply(
        connection(own, "ws://10.255.255.2:9/", timeouts={"dial": "1s"}), set=own)
    eventually(lambda: client.status(own).get("lastError"), 20, "a dial that failed")
    assert client.status(own)["lastError"]["code"] != "addressRefused"
    client.delete(own)


def test_flags_without_effect_are_refused_at_the_start(tmp_path):
    from processes import Server
    for value in ("nonsense", "10.1.2.3/8", "169.254.169.254"):
        server = Server(tmp_path / "data", "--allow-cidr", value, log=tmp_path / "log")
        try:
            assert server.popen.wait(20) == 2
            assert f"--allow-cidr {value}" in server.log
        finally:
            server.kill()
