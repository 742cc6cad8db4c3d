"""mosquitto's WebSocket listener: binary onOpen, subprotocol mqtt, healed after a restart."""

import base64
import os
import shutil
import subprocess

import pytest

from client import connection
from processes import Broker, free_port
from waiting import eventually

CONNACK = bytes([0x20, 2, 0, 0])
SUBACK = bytes([0x90, 3, 0, 1, 0])


def field(text):
    return len(text).to_bytes(2, "big") + text


def packet(kind, body):
    """An MQTT control packet: type, remaining length in base 128, body."""
    length, rest = b"", len(body)
    while True:
        rest, digit = divmod(rest, 128)
        length += bytes([digit | (0x80 if rest else 0)])
        if not rest:
            return bytes([kind]) + length + body


class Mosquitto:
    """A mosquitto, with mosquitto_pub as the independent client."""

    def __init__(self, directory):
        self.port, self.ws_port = free_port(), free_port()
        lines = [
            "allow_anonymous true", "persistence false", f"listener {self.port} 127.0.0.1",
            f"listener {self.ws_port} 127.0.0.1", "protocol websockets"]
        if os.geteuid() == 0:
            lines.insert(0, "user root")
        config = directory / "mosquitto.conf"
        config.write_text("\n".join(lines) + "\n")
        program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
        self.process = Broker([program, "-c", config], directory / "mosquitto.log", self.ws_port)

    def restart(self):
        self.process = self.process.restart()

    def publish(self, topic, payload):
        subprocess.run(
            ["mosquitto_pub", "-h", "127.0.0.1", "-p", str(self.port), "-t", topic, "-s"],
            input=payload, check=True, timeout=20)


@pytest.fixture
def broker(tmp_path):
    broker = Mosquitto(tmp_path)
    yield broker
    broker.process.kill()


def test_messages_arrive_and_the_connection_heals(client, broker, name):
    own = name()
    packets = [
        packet(0x10, field(b"MQTT") + bytes([4, 2, 0, 0]) + field(b"interop")),
        packet(0x82, bytes([0, 1]) + field(b"trades/#") + bytes([0])),
    ]
    reader = client.subscribe(own)
    client.apply(
        connection(
            own, f"ws://127.0.0.1:{broker.ws_port}/", topic=own, subprotocols=["mqtt"],
            requireSubprotocol=True,
            onOpen=[{"base64": base64.b64encode(p).decode()} for p in packets],
            reconnect={"base": "50ms", "cap": "500ms"}),
        set=own)
    client.wait_ready(own)
    assert client.status(own)["subprotocol"] == "mqtt"
    for life in range(2):
        stream = lambda: b"".join(bytes(m.data) for m in list(reader.items))
        eventually(lambda: stream() == CONNACK + SUBACK, 20,
                   lambda: f"{stream()!r} {client.status(own)}")
        expected = CONNACK + SUBACK
        for payload in (b"hello", bytes(range(256)) * 40, '{"ü":"緑"}'.encode()):
            broker.publish(f"trades/{life}", payload)
            expected += packet(0x30, field(f"trades/{life}".encode()) + payload)
            eventually(lambda: len(stream()) >= len(expected), 10, lambda: stream()[:200])
        assert stream() == expected
        assert {m.content_type for m in reader.items} == {"application/octet-stream"}
        if life == 0:
            del reader.items[:]
            broker.restart()
    client.wait_ready(own)
    assert client.status(own)["dropped"] == {}
    client.delete(own)


def test_a_subprotocol_that_is_not_as_asked_fails_the_dial(client, feed, name):
    for target in ("/mute", "/subprotocol?choose=other"):
        own = name()
        client.apply(
            connection(own, feed.url(target), subprotocols=["mqtt"], requireSubprotocol=True),
            set=own)
        client.wait_object(own, lambda o: o.last_error and not o.ready)
        assert "subprotocol" in client.get(own).last_error
        assert client.status(own)["lastError"]["class"] == "configuration"
