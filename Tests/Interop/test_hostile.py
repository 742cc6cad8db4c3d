"""What a hostile or broken caller sends: a clear error, and a server that goes on unmoved."""

import json
import random
import socket
import struct
import threading
import time

import grpc
import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import pytest

from client import Client, connection
from refusals import refused
from stubs import v1, ws
from waiting import eventually

UNARY = {
    "/virtufin.WebSocketManager/" + name for name in (
        "Connect", "List", "Disconnect", "StartPublish", "StopPublish", "Send", "SendRaw",
        "SetTag", "GetTag", "SetTags", "GetTags")
} | {"/wsm.v1.Orchestrator/" + name for name in ("Get", "List", "Delete", "GetServerInfo")}
STREAMED = {"/wsm.v1.Orchestrator/" + name for name in ("Watch", "Events", "Subscribe")}
INPUT = {"/wsm.v1.Orchestrator/" + name for name in ("Apply", "Plan")}


@pytest.fixture(autouse=True)
def unchanged(server, peer):
    """The server answers afterwards, and has exactly what it had before."""
    client = server.client
    for object in client.objects(brief=True):
        if object.name != "witness":
            client.delete(object.name)
    if not client.objects(brief=True):
        client.apply(connection("witness", peer.url("/mute/witness"), topic="w"), set="witness")
        client.wait_ready("witness")
    before = [(o.name, o.generation, o.set) for o in client.objects(brief=True)]
    process = server.process
    yield
    assert process.is_alive, f"the server died with {process.popen.returncode}"
    fresh = Client(process.address)
    try:
        # What a caller left half done may take a moment to go.
        eventually(
            lambda: [(o.name, o.generation, o.set) for o in fresh.objects(brief=True)] == before,
            3, "the objects that were there before")
        assert fresh.get("witness").ready
        assert len(peer.dials("/mute/witness")) == 1
    finally:
        fresh.close()


def raw(client, method):
    same = lambda data: data
    kind = (client.channel.unary_unary if method in UNARY else
            client.channel.unary_stream if method in STREAMED else client.channel.stream_stream)
    call = kind(method, request_serializer=same, response_deserializer=same)

    def run(data, timeout=10):
        if method in UNARY:
            return call(data, timeout=timeout)
        if method in STREAMED:
            stream = call(data, timeout=timeout)
            first = next(stream, None)
            stream.cancel()
            return first
        return list(call(iter([data]), timeout=timeout))

    return run


# Bodies


MALFORMED = {
    "truncated": b"\x0a\xff\x01x", "no-such-wire-type": b"\x0f\x01\x02", "field-zero": b"\x02\x01x",
    "endless-varint": b"\x0a" + b"\xff" * 11, "not-utf8": b"\x0a\x03\xff\xfe\xfd",
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED)
@pytest.mark.parametrize("method", sorted(UNARY | STREAMED | INPUT))
def test_a_malformed_body_is_refused(client, method, body):
    if method.endswith("GetServerInfo") and b"\x0a\x03" in body:
        return  # An unknown field of an empty message may hold anything.
    if method in INPUT | {"/virtufin.WebSocketManager/List"} and b"\x0a\x03" in body:
        body = b"\x0a\x05\x0a\x03\xff\xfe\xfd"
    with pytest.raises(grpc.RpcError) as caught:
        raw(client, method)(body, timeout=5)
    assert caught.value.code() in (
        grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.INTERNAL), caught.value
    assert caught.value.details()


def test_random_bodies(client):
    chance = random.Random(42)
    answers = set()
    for _ in range(300):
        method = chance.choice(sorted(UNARY))
        body = chance.randbytes(chance.choice([1, 3, 17, 200, 5000]))
        try:
            raw(client, method)(body, timeout=10)
        except grpc.RpcError as error:
            answers.add(error.code())
    good = {"INVALID_ARGUMENT", "INTERNAL", "NOT_FOUND", "FAILED_PRECONDITION"}
    assert {code.name for code in answers} <= good


def test_unknown_fields_are_passed_over(client):
    body = ws.ListRequest().SerializeToString() + b"\xfa\x3f\x03abc\xf8\x7f\x05"
    ws.ListResponse.FromString(raw(client, "/virtufin.WebSocketManager/List")(body))


@pytest.mark.parametrize("method", ["/virtufin.WebSocketManager/Nothing", "/no.Service/Get", "/"])
def test_an_unknown_method(client, method):
    with refused("UNIMPLEMENTED"):
        client.channel.unary_unary(method)(b"", timeout=5)


# Oversize


@pytest.mark.parametrize("method", ["Connect", "Send", "SendRaw", "SetTags", "List", "Disconnect"])
def test_an_oversize_request_is_a_clear_error(client, method):
    # A valid message with one unknown field, number 1000, of 5 MiB.
    body = b"\xc2\x3e\x80\x80\xc0\x02" + bytes(5 << 20)
    with refused("RESOURCE_EXHAUSTED") as error:
        raw(client, "/virtufin.WebSocketManager/" + method)(body)
    assert "4MiB" in error.details


def test_an_oversize_chunk_is_a_clear_error(client):
    chunk = v1.ApplyRequest(chunk=v1.ApplyChunk(
        documents=[v1.ManifestDocument(json=b" " * (5 << 20))]))
    with refused("RESOURCE_EXHAUSTED"):
        list(client.v1.Apply(iter([v1.ApplyRequest(header=v1.ApplyHeader()), chunk]), timeout=20))


def test_an_oversize_apply_is_a_clear_error(client):
    def requests():
        yield v1.ApplyRequest(header=v1.ApplyHeader(set="huge"))
        for _ in range(70):
            yield v1.ApplyRequest(chunk=v1.ApplyChunk(
                documents=[v1.ManifestDocument(json=b" " * (1 << 20))]))

    with refused("RESOURCE_EXHAUSTED", "64MiB"):
        list(client.v1.Apply(requests(), timeout=60))


def test_ten_thousand_documents_are_the_limit(client):
    documents = [
        json.dumps(connection(f"many-{n:05}", "ws://127.0.0.1:1/")).encode() for n in range(10_000)]
    start = time.monotonic()
    reply = client.apply(*documents, set="many", dry_run=True, timeout=60)
    assert reply.summary.created == 10_000
    assert time.monotonic() - start < 30
    with refused("RESOURCE_EXHAUSTED", "10000"):
        client.apply(*documents, documents[0], set="many", dry_run=True)


def test_a_set_of_too_many_members(client):
    document = {
        "apiVersion": "wsm.virtufin.com/v1", "kind": "ConnectionSet", "metadata": {"name": "huge"},
        "spec": {"matrix": {letter: [str(n) for n in range(50)] for letter in "abcdef"},
                 "name": "{{a}}-{{b}}-{{c}}-{{d}}-{{e}}-{{f}}",
                 "template": {"spec": {"url": "ws://127.0.0.1:1/"}}}}
    start = time.monotonic()
    with refused("INVALID_ARGUMENT", "100,000"):
        client.apply(document, set="huge")
    assert time.monotonic() - start < 3


# Documents


def good(**changes):
    return {**connection("hostile", "ws://127.0.0.1:1/"), **changes}


DOCUMENTS = {
    "empty": b"", "blank": b"   ", "null": b"null", "number": b"1", "list": b"[]", "string": b'"x"',
    "open": b'{"apiVersion":', "not-utf8": b'{"apiVersion":"\xff\xfe"}', "nul": b"\x00" * 100,
    "lone-surrogate": b'{"apiVersion":"\\ud800"}',
    "deep-lists": b"[" * 100_000, "deep-objects": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    "huge-number": json.dumps(good()).encode().replace(b'"Connection"', b"1e999999"),
    "long-number": b'{"a":' + b"9" * 500_000 + b"}",
    "duplicate-key": b'{"kind":"Connection","kind":"Connection"}',
    "junk-field": json.dumps(good(junk={"a": [1, {"b": None}]})).encode(),
    "junk-spec": json.dumps(good(spec={"url": "ws://x/", "junk": 1})).encode(),
    "many-junk-fields": json.dumps(good(spec={f"k{n}": n for n in range(20_000)})).encode(),
    "long-name": json.dumps(connection("n" * 254, "ws://x/")).encode(),
    "huge-name": json.dumps(connection("n" * 500_000, "ws://x/")).encode(),
    "bad-name": json.dumps(connection("../../etc", "ws://x/")).encode(),
    "huge-label": json.dumps(
        connection("hostile", "ws://x/", labels={"k": "v" * 100_000})).encode(),
    "huge-header": json.dumps(
        connection("hostile", "ws://x/", headers={"X": "v" * 100_000})).encode(),
    "header-injection": json.dumps(
        connection("hostile", "ws://x/", headers={"X": "a\r\nHost: b"})).encode(),
    "reserved-header": json.dumps(
        connection("hostile", "ws://x/", headers={"sec-websocket-key": "a"})).encode(),
    "future-kind": json.dumps(good(kind="Host")).encode(),
    "future-field": json.dumps(
        connection("hostile", "ws://x/", deadLetterTopic="dead")).encode(),
    "regex-bomb": json.dumps(connection(
        "hostile", "ws://x/",
        correlation={"mode": "next", "match": {"regex": "(" * 5000 + "a" + ")*" * 5000}})).encode(),
    "regex-repeat": json.dumps(connection(
        "hostile", "ws://x/",
        correlation={"mode": "next", "match": {"regex": "((a{1000}){1000}){1000}"}})).encode(),
    "trailing": json.dumps(good()).encode() + b" {}",
}


@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS)
def test_a_hostile_document_is_refused_in_no_time(client, document):
    start = time.monotonic()
    with refused("INVALID_ARGUMENT") as error:
        client.apply(connection("innocent", "ws://127.0.0.1:1/"), document, set="hostile")
    assert "test.json:2" in error.details
    assert len(error.details) < 20_000
    assert time.monotonic() - start < 3


@pytest.mark.parametrize("set", ["UPPER", "a b", "../x", "x" * 254, "\x00", "-"])
def test_a_bad_set_name_is_refused(client, set):
    with refused("INVALID_ARGUMENT", "set"):
        client.apply(good(), set=set)


def test_a_huge_origin_does_not_come_back_whole(client):
    requests = [
        v1.ApplyRequest(header=v1.ApplyHeader(set="origin")),
        v1.ApplyRequest(chunk=v1.ApplyChunk(documents=[
            v1.ManifestDocument(json=b"[]", origin="o" * (1 << 20)) for _ in range(3)]))]
    with refused("INVALID_ARGUMENT") as error:
        list(client.v1.Apply(iter(requests), timeout=10))
    assert len(error.details) < 20_000


# The order of an apply's stream


HEADER = v1.ApplyRequest(header=v1.ApplyHeader(set="order"))
CHUNK = v1.ApplyRequest(chunk=v1.ApplyChunk(
    documents=[v1.ManifestDocument(json=json.dumps(good()).encode())]))
ORDERS = {
    "nothing": [], "no-header": [CHUNK], "late-header": [CHUNK, HEADER],
    "two-headers": [HEADER, CHUNK, HEADER], "an-empty-part": [HEADER, v1.ApplyRequest(), CHUNK],
    "only-empty": [v1.ApplyRequest()],
}


@pytest.mark.parametrize("requests", ORDERS.values(), ids=ORDERS)
@pytest.mark.parametrize("method", ["Apply", "Plan"])
def test_a_stream_out_of_order_is_refused(client, method, requests):
    with refused("INVALID_ARGUMENT"):
        list(getattr(client.v1, method)(iter(requests), timeout=10))


def test_an_apply_that_breaks_off_applies_nothing(server):
    client = Client(server.process.address)
    blocked = threading.Event()

    def requests():
        yield HEADER
        yield CHUNK
        blocked.wait(10)

    call = client.v1.Apply(requests(), timeout=20)
    time.sleep(0.2)
    call.cancel()
    client.close()
    blocked.set()


# The transport


class HTTP2:
    """A client that may break every rule of gRPC."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), 10)
        self.socket.settimeout(5)
        config = h2.config.H2Configuration(
            client_side=True, validate_outbound_headers=False, normalize_outbound_headers=False)
        self.h2 = h2.connection.H2Connection(config)
        self.h2.initiate_connection()
        self.flush()

    def flush(self):
        self.socket.sendall(self.h2.data_to_send())

    def request(self, body=None, path="/virtufin.WebSocketManager/List", end=True, **changes):
        headers = {
            ":method": "POST", ":scheme": "http", ":path": path, ":authority": "localhost",
            "content-type": "application/grpc", "te": "trailers"}
        headers.update({key.replace("_", "-"): value for key, value in changes.items()})
        stream = self.h2.get_next_available_stream_id()
        self.h2.send_headers(
            stream, [(k, v) for k, v in headers.items() if v is not None],
            end_stream=end and body is None)
        if body is not None:
            self.h2.send_data(stream, body, end_stream=end)
        self.flush()
        return stream

    def answer(self, stream):
        """The headers and trailers of the answer, or how the stream ended."""
        headers = {}
        while True:
            data = self.socket.recv(65536)
            if not data:
                return {"ended": "connection"}
            for event in self.h2.receive_data(data):
                if getattr(event, "stream_id", stream) != stream:
                    continue
                if isinstance(event, (h2.events.ResponseReceived, h2.events.TrailersReceived)):
                    headers.update({
                        (k.decode() if isinstance(k, bytes) else k):
                        (v.decode() if isinstance(v, bytes) else v) for k, v in event.headers})
                if isinstance(event, h2.events.StreamReset):
                    return {"ended": "reset", **headers}
                if isinstance(event, h2.events.ConnectionTerminated):
                    return {"ended": "goaway", **headers}
                if isinstance(event, h2.events.StreamEnded):
                    return headers
            self.flush()

    def close(self):
        self.socket.close()


@pytest.fixture
def http2(server):
    connections = []

    def make():
        connections.append(HTTP2(server.process.port))
        return connections[-1]

    yield make
    for http in connections:
        http.close()


def framed(body, compressed=0, length=None):
    return struct.pack(">BI", compressed, len(body) if length is None else length) + body


def test_a_well_formed_call_over_bare_http2(http2):
    http = http2()
    assert http.answer(http.request(framed(b"")))["grpc-status"] == "0"


@pytest.mark.parametrize(
    "body",
    [b"", b"\x00", b"\x00\x00\x00\x00\x05ab", framed(b"", length=0xFFFFFFFF),
     framed(b"x", compressed=1), framed(b"x", compressed=77), framed(b"") + framed(b"")],
    ids=["none", "one-byte", "cut-short", "4-gib", "compressed", "bad-flag", "two"],
)
def test_a_broken_message_frame_ends_the_call(http2, body):
    http = http2()
    answer = http.answer(http.request(body))
    assert answer.get("ended") or answer["grpc-status"] != "0", answer


@pytest.mark.parametrize(
    "changes",
    [{"content_type": "text/html"}, {"content_type": None}, {":method": "GET"},
     {"grpc_encoding": "snappy"}, {"grpc_timeout": "soon"}, {"grpc_timeout": "99999999999H"},
     {"x_bin": "!!!"}, {"te": None}],
    ids=lambda changes: next(iter(changes)),
)
def test_odd_headers_are_answered(http2, changes):
    http = http2()
    assert http.answer(http.request(framed(b""), **changes))


def test_huge_headers_are_answered(http2):
    for count, size in ((1, 100_000), (500, 200)):
        http = http2()
        try:
            stream = http.request(framed(b""), **{f"x{n}": "v" * size for n in range(count)})
            assert http.answer(stream)
        except (ConnectionError, h2.exceptions.ProtocolError):
            pass  # Cutting such a caller is an answer too.


def test_callers_that_vanish(server, http2):
    for _ in range(30):
        http = http2()
        for _ in range(50):
            try:
                http.request(b"\x00\x00\x00\x01\x00", end=False)
            except (h2.exceptions.ProtocolError, ConnectionError):
                break
        http.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        http.close()


def test_rapid_resets(http2):
    http = http2()
    try:
        for _ in range(2000):
            stream = http.request(end=False)
            http.h2.reset_stream(stream, h2.errors.ErrorCodes.CANCEL)
            http.flush()
    except (ConnectionError, h2.exceptions.ProtocolError):
        pass


@pytest.mark.parametrize(
    "data",
    [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", bytes(5000),
     b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\xff" * 5000,
     b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00" * 5000],
    ids=["http1", "tls", "zeros", "bad-frames", "settings-flood"],
)
def test_another_protocol_on_the_port(server, data):
    with socket.create_connection(("127.0.0.1", server.process.port), 5) as plain:
        plain.settimeout(0.5)
        try:
            plain.sendall(data)
            plain.recv(1000)
        except OSError:
            pass


# Callers that go or do not read


@pytest.mark.parametrize("how", ["cancel", "deadline", "close"])
@pytest.mark.parametrize("auto_reconnect", [True, False])
def test_a_caller_that_vanishes_during_connect_leaves_nothing(
        server, client, peer, name, how, auto_reconnect):
    path = f"/slow/{name()}"
    other = Client(server.process.address)
    call = other.ws.Connect.future(
        ws.ConnectRequest(url=peer.url(path + "?ms=1500"), auto_reconnect=auto_reconnect),
        timeout=0.5 if how == "deadline" else None)
    eventually(lambda: peer.dials(path), 10, "the dial")
    if how == "cancel":
        call.cancel()
    elif how == "deadline":
        with refused("DEADLINE_EXCEEDED"):
            call.result(10)
    other.close()
    eventually(lambda: client.info().connections == 1, 4,
               lambda: "no record of it; there are " + str(
                   [(o.name, o.phase) for o in client.objects(brief=True)]))
    assert [c.url for c in client.list()] == [peer.url("/mute/witness")]
    eventually(lambda: all(s.closed_at for s in peer.dials(path)), 6, "the end of the socket")
    assert len(peer.dials(path)) == 1


def test_a_subscriber_that_never_reads_slows_nobody(server, client, peer, name):
    """200 at one time; the topic that one of them does not read forgets what it may."""
    heavy, light = name("heavy"), name("light")
    path = f"/mute/{heavy}"
    ids = [client.connect(peer.url(path + topic), False).id for topic in ("h", "l")]
    client.start_publish(ids[0], heavy)
    client.start_publish(ids[1], light)
    clients = [Client(server.process.address) for _ in range(10)]
    try:
        slow = clients[0].v1.Subscribe(v1.SubscribeRequest(topic=heavy))
        fast = [clients[n % 10].subscribe(heavy) for n in range(4)]
        others = [clients[n % 10].subscribe(light) for n in range(195)]
        sessions = peer.session(path + "h"), peer.session(path + "l")

        # All are subscribed once each has heard something.
        def all_hear():
            for session in sessions:
                session.send("probe")
            return all(reader.items for reader in fast + others)

        eventually(all_hear, 20, "the subscribers", 0.1)
        # 88 MB, more than the backlog of those who are connected.
        text, rounds, burst = "x" * 65_000, 45, 30
        for round in range(rounds):
            sessions[0].send(*[f"{round}.{n} {text}" for n in range(burst)])
            sessions[1].send(f"light {round}")
            eventually(lambda: all(
                bytes(reader.items[-1].data).startswith(b"%d.%d " % (round, burst - 1))
                for reader in fast), 20, f"round {round} at all readers")
        for reader in others:
            reader.wait_for(lambda m: bytes(m.data) == b"light %d" % (rounds - 1))
        assert all(reader.missed == 0 for reader in fast + others)
        heads = lambda reader: [bytes(m.data).split(b" ", 1)[0].decode() for m in reader.items]
        for reader in fast:
            assert [head for head in heads(reader) if head != "probe"] == [
                f"{r}.{n}" for r in range(rounds) for n in range(burst)]
        for reader in others:
            assert heads(reader).count("light") == rounds
        # Now it reads: it is told how many it missed, and every position is accounted for.
        missed, position = 0, None
        for response in slow:
            missed += response.missed
            for index, message in enumerate(response.messages):
                skipped = response.missed if index == 0 else 0
                assert position is None or message.position == position + 1 + skipped
                position = message.position
            if bytes(response.messages[-1].data).startswith(b"%d.%d " % (rounds - 1, burst - 1)):
                break
        assert missed > 0
        slow.cancel()
    finally:
        for other in clients:
            other.close()
        for id in ids:
            client.disconnect(id)
