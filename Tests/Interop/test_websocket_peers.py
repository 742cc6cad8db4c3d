"""Our client against WebSocket servers of other makes: with and without deflate, ws and wss."""

import base64
import pathlib
import random
import sys

import pytest

import certificates
from client import connection
from processes import Broker, Process, free_port
from waiting import eventually

HERE = pathlib.Path(__file__).parent
STACKS = ["websockets", "wsproto", "autobahn", "node"]

# What is sent, and what must come back byte for byte.
_random = random.Random(7692)
MESSAGES = [
    "hello", "ü緑𤭢" * 500, "", "a" * 126, "b" * 65536, bytes(range(256)) * 4,
    _random.randbytes(10_000), b"\0" * 100_000,
    "".join('{"px":%d,"ok":true},' % _random.randrange(10**6) for _ in range(500)),
]

COMPRESSIONS = [
    {"mode": "off"},
    {"mode": "require", "threshold": "0B"},
    {"mode": "require", "threshold": "0B", "clientContextTakeover": True},
    {"mode": "require", "threshold": "64B", "serverContextTakeover": False,
     "serverMaxWindowBits": 10, "clientMaxWindowBits": 9},
    {"mode": "offer"},
]


@pytest.fixture(scope="module")
def secrets(tmp_path_factory):
    return certificates.make(tmp_path_factory.mktemp("peers") / "secrets", "IP:127.0.0.1")


@pytest.fixture(scope="module")
def life(tmp_path_factory, secrets):
    from conftest import ServerLife

    life = ServerLife(
        tmp_path_factory.mktemp("peers") / "data", "--log-level", "info", "--secrets-dir",
        str(secrets))
    yield life
    life.kill()


@pytest.fixture(scope="module")
def start(tmp_path_factory, secrets):
    """Starts a server of a stack; returns its URL."""
    running = {}

    def make(stack, is_secure):
        if (stack, is_secure) in running:
            return running[stack, is_secure][1]
        port = free_port()
        if stack == "node":
            program = ["node", HERE / "echo_peer.js"]
        else:
            program = [sys.executable, HERE / "echo_peers.py", stack]
        files = [secrets / "server.pem", secrets / "server.key"] if is_secure else []
        log = tmp_path_factory.mktemp("peer") / "peer.log"
        process = Process([*program, port, *files], log,
                          env={"NODE_PATH": "/usr/share/nodejs:/usr/lib/nodejs"})
        url = f"{'wss' if is_secure else 'ws'}://127.0.0.1:{port}"
        running[stack, is_secure] = (process, url)
        process.wait_for("listening")
        return url

    yield make
    for process, _ in running.values():
        process.kill()


def declare(client, own, url, compression, **spec):
    if url.startswith("wss"):
        spec["tls"] = {"ca": {"valueFrom": {"file": "ca.pem"}}}
    client.apply(
        connection(own, url, topic=own, compression=compression, maxMessageSize="4MiB",
                   publish={"data": "string"}, keepalive={"pingInterval": "100ms"},
                   onOpen=[
                       {"text": m} if isinstance(m, str) else
                       {"base64": base64.b64encode(m).decode()} for m in MESSAGES],
                   reconnect={"base": "50ms", "cap": "500ms"}, **spec), set=own)


def bodies(reader):
    return [bytes(message.data) for message in list(reader.items)]


def wanted():
    return [m.encode() if isinstance(m, str) else m for m in MESSAGES]


@pytest.mark.parametrize("is_secure", [False, True], ids=["ws", "wss"])
@pytest.mark.parametrize("stack", STACKS)
def test_messages_come_back_as_they_were(life, start, name, stack, is_secure):
    client = life.client
    url = start(stack, is_secure)
    rows = [(compression, "/") for compression in COMPRESSIONS] + [({"mode": "offer"}, "/plain")]
    names = [name() for _ in rows]
    readers = [client.subscribe(own) for own in names]
    for own, (compression, path) in zip(names, rows):
        declare(client, own, url + path, compression)
    for own, reader, (compression, path) in zip(names, readers, rows):
        reader.wait(len(MESSAGES), timeout=30)
        assert bodies(reader) == wanted(), (own, compression)
        agreed = client.status(own).get("compression")
        if compression["mode"] == "off" or path == "/plain":
            assert agreed is None
        else:
            assert agreed.startswith("permessage-deflate"), agreed
            assert ("server_no_context" in agreed) >= (
                compression.get("serverContextTakeover") is False)
        client.delete(own)


def test_a_server_that_declines_fails_where_compression_is_required(life, start, name):
    own = name()
    declare(life.client, own, start("websockets", False) + "/plain", {"mode": "require"})
    life.client.wait_object(own, lambda o: o.last_error and not o.ready)
    error = life.client.status(own)["lastError"]
    assert (error["class"], error["code"]) == ("configuration", "compression"), error


def test_libwebsockets(life, secrets, tmp_path, name):
    """Debian's build of it has no deflate: it declines, and messages go as they are."""
    client = life.client
    for scheme in ("ws", "wss"):
        port = free_port()
        tls = ["--ssl", "-C", secrets / "server.pem", "-K", secrets / "server.key"]
        broker = Broker(
            ["libwebsockets-test-server", "--port", port, "-i", "lo",
             *(tls if scheme == "wss" else [])], tmp_path / f"{scheme}.log", port)
        try:
            own, mirrored = name("counts"), name("mirror")
            reader = client.subscribe(own)
            spec = {"tls": {"ca": {"valueFrom": {"file": "ca.pem"}}}} if scheme == "wss" else {}
            url = f"{scheme}://127.0.0.1:{port}/"
            client.apply(connection(
                own, url, topic=own, subprotocols=["dumb-increment-protocol"],
                compression={"mode": "offer"}, publish={"data": "string"}, **spec), set=own)
            reader.wait(20)
            numbers = [int(body) for body in bodies(reader)]
            assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
            assert client.status(own).get("compression") is None

            reader = client.subscribe(mirrored)
            text = "d #000000 1 2 3 4;" * 100
            client.apply(connection(
                mirrored, url, topic=mirrored, subprotocols=["lws-mirror-protocol"],
                onOpen=[{"text": text}], **spec), set=mirrored)
            eventually(lambda: text.encode() in b"".join(bodies(reader)), 20,
                       lambda: (bodies(reader), broker.log[-1000:]))
            client.delete(own)
            client.delete(mirrored)
        finally:
            broker.kill()
