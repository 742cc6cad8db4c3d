"""nats-server's WebSocket listener: Ready, messages byte-exact, healed after its restart."""

import asyncio
import shutil

import nats
import pytest

import certificates
from client import connection
from processes import Broker, free_port
from waiting import eventually

PAYLOADS = [b"hello", bytes(range(256)), '{"ü":"緑"}'.encode(), b"", b"\r\nMSG fake 1 2\r\n" * 3]


class NATS:
    """A nats-server and an independent client of it."""

    def __init__(self, directory, tls=None):
        self.port, self.ws_port = free_port(), free_port()
        security = (
            f'tls {{ cert_file: "{tls}/server.pem", key_file: "{tls}/server.key" }}'
            if tls else "no_tls: true")
        config = directory / "nats.conf"
        config.write_text(
            f'listen: "127.0.0.1:{self.port}"\n'
            f'websocket {{ listen: "127.0.0.1:{self.ws_port}", {security} }}\n')
        program = shutil.which("nats-server") or "/usr/sbin/nats-server"
        self.process = Broker([program, "-c", config], directory / "nats.log", self.ws_port)

    def restart(self):
        self.process = self.process.restart()

    def publish(self, subject, *payloads):
        async def act():
            client = await nats.connect(f"nats://127.0.0.1:{self.port}")
            for payload in payloads:
                await client.publish(subject, payload)
            await client.close()

        asyncio.run(asyncio.wait_for(act(), 20))


@pytest.fixture
def make_nats(tmp_path):
    brokers = []

    def make(**options):
        brokers.append(NATS(tmp_path, **options))
        return brokers[-1]

    yield make
    for broker in brokers:
        broker.process.kill()


def manifest(name, url, **spec):
    return connection(
        name, url, topic=name,
        onOpen=[
            {"text": 'CONNECT {"verbose":false,"pedantic":false,"lang":"test","version":"1"}\r\n'},
            {"text": "SUB trades.> 1\r\nPING\r\n"},
        ],
        reconnect={"base": "50ms", "cap": "500ms"}, **spec)


def stream(reader):
    return b"".join(bytes(message.data) for message in list(reader.items))


def check_messages(reader, broker):
    """What is published there arrives here, with the protocol's own frame around it."""
    eventually(lambda: b"PONG\r\n" in stream(reader), 10, lambda: stream(reader))
    before = len(stream(reader))
    expected = b""
    for index, payload in enumerate(PAYLOADS):
        broker.publish(f"trades.{index}", payload)
        expected += b"MSG trades.%d 1 %d\r\n%s\r\n" % (index, len(payload), payload)
    eventually(lambda: len(stream(reader)) >= before + len(expected), 10, lambda: stream(reader))
    assert stream(reader)[before:] == expected


def run(client, broker, name, url, **spec):
    reader = client.subscribe(name)
    client.apply(manifest(name, url, **spec), set=name)
    client.wait_ready(name)
    check_messages(reader, broker)
    assert {m.content_type for m in reader.items} == {"application/octet-stream"}
    sockets = len(reader.items)
    broker.restart()
    # The greeting of the new server comes first on the new socket.
    eventually(lambda: b"INFO {" in b"".join(bytes(m.data) for m in reader.items[sockets:]), 20,
               lambda: client.status(name))
    del reader.items[:sockets]
    client.wait_ready(name)
    check_messages(reader, broker)
    assert client.status(name)["dropped"] == {}
    client.delete(name)


def test_messages_arrive_and_the_connection_heals(client, make_nats, name):
    broker = make_nats()
    run(client, broker, name(), f"ws://127.0.0.1:{broker.ws_port}/")


def test_the_same_over_tls(new_server, make_nats, tmp_path, name):
    secrets = certificates.make(tmp_path / "secrets", "IP:127.0.0.1", "DNS:nats.example")
    broker = make_nats(tls=secrets)
    life = new_server("--secrets-dir", str(secrets))
    client = life.client
    url = f"wss://127.0.0.1:{broker.ws_port}/"
    ca = {"ca": {"valueFrom": {"file": "ca.pem"}}}
    run(client, broker, name(), url, tls=ca)
    named = name("named")
    client.apply(manifest(named, url, tls={**ca, "serverName": "nats.example"}), set=named)
    client.wait_ready(named)

    # Not trusted, not for that name, no such secret: never Ready, and it says why.
    untrusted, wrong, missing = name("untrusted"), name("wrong"), name("missing")
    client.apply(manifest(untrusted, url), set=untrusted)
    client.apply(manifest(wrong, url, tls={**ca, "serverName": "other.example"}), set=wrong)
    client.apply(
        manifest(missing, url, tls={"ca": {"valueFrom": {"file": "gone.pem"}}}), set=missing)
    for own in (untrusted, wrong):
        client.wait_object(own, lambda o: o.last_error and not o.ready)
        assert client.status(own)["lastError"]["class"] == "configuration"
    client.wait_object(missing, lambda o: o.stalled and o.reason == "SecretUnavailable")
    assert "gone.pem" in client.get(missing).message
    assert "insecureSkipVerify" not in life.process.log
    unchecked = name("unchecked")
    client.apply(manifest(unchecked, url, tls={"insecureSkipVerify": True}), set=unchecked)
    client.wait_ready(unchecked)
    assert "certificate is not checked" in life.process.log

    # Looked at again when it appears.
    shutil.copy(secrets / "ca.pem", secrets / "gone.pem")
    client.wait_ready(missing, timeout=45)
