"""All eleven RPCs of virtufin.WebSocketManager by an independent client: good and bad calls."""

import json
import sqlite3
import threading
import uuid

import grpc
import pytest

from client import Client, connection
from refusals import refused
from stubs import ws
from waiting import eventually, stays


@pytest.fixture(scope="module")
def hanging(module_server, peer):
    """Connects to a server that never answers: begun with the module, looked at at its end."""
    results = {}

    def call(auto_reconnect):
        client = Client(module_server.process.address)
        try:
            client.connect(peer.url(f"/hang/{auto_reconnect}"), auto_reconnect, timeout=60)
            results[auto_reconnect] = None
        except grpc.RpcError as error:
            results[auto_reconnect] = error
        finally:
            client.close()

    threads = [threading.Thread(target=call, args=(value,), daemon=True) for value in (True, False)]
    for thread in threads:
        thread.start()
    return threads, results


@pytest.fixture(autouse=True)
def _begin(hanging):
    """The slow calls run while the others do."""


@pytest.fixture
def open_connection(client, peer, name):
    """A connection to the peer and its session there."""

    def make(kind="mute", **options):
        path = f"/{kind}/{name()}"
        response = client.connect(peer.url(path), **options)
        return response.id, peer.session(path)

    return make


# Connect


@pytest.mark.parametrize("auto_reconnect", [True, False])
def test_connect_answers_after_the_first_open(client, peer, name, auto_reconnect):
    path = f"/mute/{name()}"
    response = client.connect(peer.url(path), auto_reconnect, tags={"venue": "x", "empty": ""})
    assert str(uuid.UUID(response.id)) == response.id
    assert response.status == "connected"
    peer.session(path)
    listed = client.listed(response.id)
    assert listed.url == peer.url(path)
    assert listed.status == "connected"
    assert listed.topic == ""
    assert listed.content_type == ""
    assert listed.instance_id == client.info().instance_id != ""
    assert dict(listed.tags) == {"venue": "x", "empty": ""}


BAD_URLS = [
    "", "not a url", "http://127.0.0.1/", "ftp://127.0.0.1/", "ws://", "ws:///path", "//127.0.0.1/",
    "ws://user:secret@127.0.0.1/", "ws://127.0.0.1/#part", "ws://127.0.0.1:0/",
    "ws://127.0.0.1:65536/", "ws://127.0.0.1/a b", "ws://127.0.0.1/\r\nHost: x", "ws://[::1/",
    "ws://127.0.0.1/" + "x" * 8192,
]


@pytest.mark.parametrize("auto_reconnect", [True, False])
@pytest.mark.parametrize("url", BAD_URLS, ids=range(len(BAD_URLS)))
def test_connect_refuses_a_bad_url(client, url, auto_reconnect):
    before = len(client.list())
    with refused("INVALID_ARGUMENT", "url"):
        client.connect(url, auto_reconnect)
    assert len(client.list()) == before


@pytest.mark.parametrize("auto_reconnect", [True, False])
@pytest.mark.parametrize(
    "target, texts",
    [
        ("/status/{}?code=503", ["503"]), ("/status/{}?code=500", ["500"]),
        ("/status/{}?code=401", ["401"]), ("/status/{}?code=404", ["404"]),
        ("/status/{}?code=302&location=ws://127.0.0.1:1/elsewhere", ["302"]),
        ("/status/{}?code=429&retry=3600", ["429"]),
        ("/cut/{}", []), ("/liar/{}", []),
    ],
    ids=["503", "500", "401", "404", "302", "429", "reset", "bad-handshake"],
)
def test_connect_that_fails_leaves_nothing(client, peer, name, target, texts, auto_reconnect):
    target = target.format(name())
    path = target.split("?")[0]
    with refused("UNAVAILABLE", *texts):
        client.connect(peer.url(target), auto_reconnect)
    assert [c for c in client.list() if c.url == peer.url(target)] == []
    assert [o for o in client.objects() if o.url.startswith(peer.url(path))] == []
    assert len(peer.dials(path)) == 1
    stays(lambda: len(peer.dials(path)) == 1, 0.3, "a failed Connect is dialled again")


@pytest.mark.parametrize("auto_reconnect", [True, False])
def test_connect_to_a_closed_port_is_unavailable(client, new_peer, auto_reconnect):
    closed = new_peer()
    closed.stop_listening()
    with refused("UNAVAILABLE", "refused"):
        client.connect(closed.url("/"), auto_reconnect)
    assert [c for c in client.list() if c.url == closed.url("/")] == []


def test_failed_connects_leave_nothing_in_the_data_directory(new_server, peer, name):
    life = new_server()
    for auto_reconnect in (True, False):
        for target in ("status/x?code=503", "cut/x", "liar/x"):
            with refused("UNAVAILABLE"):
                life.client.connect(peer.url(f"/{target}&{name()}leftover"), auto_reconnect)
    good = life.client.connect(peer.url(f"/mute/{name()}kept"), True).id
    client = life.restart()
    assert [c.id for c in client.list()] == [good]
    assert [o.name for o in client.objects()] == [good]
    life.kill()
    stored = b""
    database = sqlite3.connect(life.data_dir / "state.sqlite")
    for (table,) in database.execute("select name from sqlite_master where type = 'table'"):
        for row in database.execute(f'select * from "{table}"'):
            for value in row:
                stored += value if isinstance(value, bytes) else str(value).encode()
    assert b"kept" in stored
    assert b"leftover" not in stored


# Status


def test_status_words(client, peer, name, open_connection):
    id, session = open_connection(auto_reconnect=True)
    peer.override(session.path, "status", code=503)
    session.drop()
    eventually(lambda: client.listed(id).status == "reconnecting", 10, "reconnecting")
    once, session = open_connection(auto_reconnect=False)
    session.drop()
    eventually(lambda: client.listed(once).status == "disconnected", 10, "disconnected")
    stays(lambda: len(peer.dials(session.path)) == 1, 0.5, "autoReconnect off, and dialled again")
    pending = name("pending")
    client.apply(connection(pending, peer.url(f"/hang/{pending}")), set=pending)
    eventually(lambda: client.listed(pending).status == "connecting", 10, "connecting")
    client.disconnect(id)
    client.delete(pending)


# List and tags


def test_list_filters_are_joined_by_and(client, open_connection, name):
    mark = name()
    both, _ = open_connection(tags={"mark": mark, "tier": "gold"})
    one, _ = open_connection(tags={"mark": mark, "tier": "silver"})
    open_connection(tags={"tier": "gold"})
    ids = lambda **filters: {c.id for c in client.list(**filters)}
    assert ids(mark=mark) == {both, one}
    assert ids(mark=mark, tier="gold") == {both}
    assert ids(mark=mark, tier="Gold") == set()
    assert ids(mark=mark, absent="") == set()
    assert {both, one} < ids()


def test_tags_are_set_read_and_replaced_without_a_reconnect(client, peer, open_connection):
    id, session = open_connection(tags={"a": "1"})
    set_tag = lambda key, value: client.ws.SetTag(ws.SetTagRequest(id=id, key=key, value=value))
    get_tag = lambda key: client.ws.GetTag(ws.GetTagRequest(id=id, key=key)).value
    get_tags = lambda: dict(client.ws.GetTags(ws.GetTagsRequest(id=id)).tags)
    set_tag("b", "2")
    set_tag("a", "one")
    assert get_tags() == {"a": "one", "b": "2"}
    assert get_tag("a") == "one"
    assert get_tag("absent") == ""
    set_tag("b", "")
    assert get_tags() == {"a": "one", "b": ""}
    client.ws.SetTags(ws.SetTagsRequest(id=id, tags={"c": "grün 緑"}))
    assert get_tags() == {"c": "grün 緑"} == dict(client.listed(id).tags)
    client.ws.SetTags(ws.SetTagsRequest(id=id))
    assert get_tags() == {}
    assert session.is_open and len(peer.dials(session.path)) == 1


def test_tag_limits(client, peer, name, open_connection):
    limit = {"k" * 124 + f"{index:04}": "v" * 1024 for index in range(50)}
    id, _ = open_connection(tags=limit)
    assert dict(client.ws.GetTags(ws.GetTagsRequest(id=id)).tags) == limit
    url = peer.url(f"/mute/{name()}")
    for tags in ({f"k{i}": "" for i in range(51)}, {"k" * 129: "v"}, {"k": "v" * 1025}, {"": "v"}):
        with refused("INVALID_ARGUMENT"):
            client.connect(url, tags=tags)
        with refused("INVALID_ARGUMENT"):
            client.ws.SetTags(ws.SetTagsRequest(id=id, tags=tags))
    with refused("INVALID_ARGUMENT"):
        client.ws.SetTag(ws.SetTagRequest(id=id, key="one more", value=""))
    with refused("INVALID_ARGUMENT"):
        client.ws.SetTag(ws.SetTagRequest(id=id, key="k" * 129, value=""))
    with refused("INVALID_ARGUMENT"):
        client.ws.SetTag(ws.SetTagRequest(id=id, key=next(iter(limit)), value="v" * 1025))
    assert dict(client.ws.GetTags(ws.GetTagsRequest(id=id)).tags) == limit
    assert [c for c in client.list() if c.url == url] == []
    # Characters are counted, not bytes.
    client.ws.SetTags(ws.SetTagsRequest(id=id, tags={"ü" * 128: "緑" * 1024}))


# What an unknown connection answers to every RPC


@pytest.mark.parametrize("id", ["00000000-0000-4000-8000-000000000000", "", "x/../y", "x" * 5000])
def test_an_unknown_connection_is_not_found(client, id):
    calls = [
        lambda: client.disconnect(id),
        lambda: client.start_publish(id, "t"),
        lambda: client.stop_publish(id),
        lambda: client.send(id, b"{}"),
        lambda: client.send_raw(id, b"x"),
        lambda: client.ws.SetTag(ws.SetTagRequest(id=id, key="k", value="v")),
        lambda: client.ws.GetTag(ws.GetTagRequest(id=id, key="k")),
        lambda: client.ws.SetTags(ws.SetTagsRequest(id=id, tags={"k": "v"})),
        lambda: client.ws.GetTags(ws.GetTagsRequest(id=id)),
    ]
    for call in calls:
        with refused("NOT_FOUND", "Connection not found"):
            call()


def test_a_connection_that_is_down_refuses_what_needs_a_socket(client, peer, open_connection):
    id, session = open_connection()
    session.drop()
    eventually(lambda: client.listed(id).status == "disconnected", 10, "disconnected")
    with refused("FAILED_PRECONDITION", "WebSocket is not connected"):
        client.send_raw(id, b"x", "text/plain")
    with refused("FAILED_PRECONDITION", "WebSocket is not connected"):
        client.send(id, b"{}", "application/json")
    with refused("FAILED_PRECONDITION", "WebSocket is not connected"):
        client.start_publish(id, "topic")


# Topics


def test_publishing_starts_moves_and_stops(client, open_connection, name):
    id, session = open_connection()
    first, second = name("first"), name("second")
    one, two = client.subscribe(first), client.subscribe(second)
    session.send("before")
    client.start_publish(id, first)
    assert client.listed(id).topic == first
    session.send('{"n":1}', b"\x00\xff")
    one.wait(2)
    assert client.listed(id).content_type == "application/octet-stream"
    client.start_publish(id, second)
    assert client.listed(id).topic == second
    session.send("moved")
    two.wait(1)
    assert client.listed(id).content_type == "text/plain"
    client.stop_publish(id)
    assert client.listed(id).topic == ""
    session.send("unheard")
    eventually(lambda: client.get(id).received >= 5, 10, "five messages received")
    client.stop_publish(id)
    client.start_publish(id, second)
    session.send("last")
    two.wait(2)
    assert [bytes(m.data) for m in one.items] == [b'{"n":1}', b"\x00\xff"]
    assert [m.content_type for m in one.items] == ["application/json", "application/octet-stream"]
    assert [bytes(m.data) for m in two.items] == [b"moved", b"last"]
    assert [m.content_type for m in two.items] == ["text/plain", "text/plain"]
    every = list(one.items) + list(two.items)
    assert {m.connection for m in every} == {id}
    assert {m.type for m in every} == {"com.virtufin.websocketmanager.message"}
    assert {m.source for m in every} == {f"/connections/{id}"}
    assert len({m.id for m in every}) == 4
    for message in every:
        uid, epoch, sequence = message.id.rsplit(".", 2)
        assert (int(epoch), int(sequence)) == (message.epoch, message.sequence)
    sequences = [m.sequence for m in every]
    assert sequences == sorted(sequences)
    assert client.status(id)["dropped"] == {"noTopic": 2}


@pytest.mark.parametrize("topic", ["a b", "a\nb", "\x00", "t" * 257, "\u00a0x"])
def test_a_bad_topic_is_refused(client, open_connection, topic):
    id, _ = open_connection()
    with refused("INVALID_ARGUMENT", "topic"):
        client.start_publish(id, topic)
    assert client.listed(id).topic == ""


def test_an_empty_topic_is_refused_with_the_older_text(client, open_connection):
    id, _ = open_connection()
    with refused("INVALID_ARGUMENT", "Topic is required"):
        client.start_publish(id, "")


# SendRaw


def test_send_raw_is_byte_exact_both_ways(client, open_connection, name):
    id, session = open_connection("echo")
    topic = name()
    reader = client.subscribe(topic)
    client.start_publish(id, topic)
    messages = [
        (b"plain", "text/plain", True), ('{"ü":"緑"}'.encode(), "application/json", True),
        (bytes(range(256)), "application/octet-stream", False),
        (b"text", "application/cbor", False),
        (b"", "text/plain", True), (b"", "application/octet-stream", False),
        (b"  {\"spaced\" : 1 }\n", "application/json; charset=utf-8", True),
        (b"<a/>", "text/xml", True), (b"\xff\xfe" * 100_000, "application/octet-stream", False),
    ]
    for data, content_type, _ in messages:
        client.send_raw(id, data, content_type)
    reader.wait(len(messages))
    assert [(m.data, m.is_text) for m in session.messages] == [(d, t) for d, _, t in messages]
    assert [bytes(m.data) for m in reader.items] == [data for data, _, _ in messages]


def test_send_raw_through_the_feed(client, feed, name):
    id = client.connect(feed.url("/echo")).id
    topic = name()
    reader = client.subscribe(topic)
    client.start_publish(id, topic)
    client.send_raw(id, b"\x00\x01\x80", "application/octet-stream")
    client.send_raw(id, "grün".encode(), "text/plain")
    assert [bytes(m.data) for m in reader.wait(2)] == [b"\x00\x01\x80", "grün".encode()]


def test_send_raw_refuses_a_text_that_is_not_utf8(client, open_connection):
    id, session = open_connection()
    with refused("INVALID_ARGUMENT", "UTF-8"):
        client.send_raw(id, b"\xff\xfe", "text/plain")
    with refused("INVALID_ARGUMENT", "UTF-8"):
        client.send_raw(id, b"\xc3", "application/json")
    client.send_raw(id, b"after", "text/plain")
    eventually(lambda: session.messages, 5, "the valid message")
    assert [m.data for m in session.messages] == [b"after"]


def test_large_messages(client, peer, open_connection, name):
    id, session = open_connection("echo", auto_reconnect=True)
    topic = name()
    reader = client.subscribe(topic)
    client.start_publish(id, topic)
    largest = bytes(1 << 20)
    client.send_raw(id, largest, "application/octet-stream")
    assert bytes(reader.wait(1)[0].data) == largest
    # One byte more than maxMessageSize comes back: closed with 1009.
    client.send_raw(id, bytes((1 << 20) + 1), "application/octet-stream")
    eventually(lambda: session.close_code, 10, "a close frame")
    assert session.close_code == 1009
    eventually(lambda: len(peer.dials(session.path)) == 2, 10, "a redial")
    assert len(reader.items) == 1
    client.disconnect(id)


# Send


@pytest.fixture
def correlated(client, feed, peer, name):
    """A connection with a correlation of its own, made by a manifest."""

    def make(url, **correlation):
        own = name()
        spec = {"correlation": correlation} if correlation else {}
        client.apply(connection(own, url, **spec), set=own)
        client.wait_ready(own)
        return own

    return make


IDS = [b'"mine"', b"7", b"-3", b'"\\u00fc\\"x"', b"null", b"1.5", b'{"a":[1]}', b'""']


@pytest.mark.parametrize("mode", ["auto", "jsonField"])
def test_send_restores_the_callers_own_id(client, peer, correlated, name, mode):
    path = f"/echo/{name()}"
    own = correlated(peer.url(path), mode=mode)
    session = peer.session(path)
    for id in IDS:
        message = b'{ "id" : ' + id + b', "x":[1, 2.50],"id2":"id" }'
        assert client.send(own, message, "application/json") == message
        sent = json.loads(session.messages[-1].data)
        assert session.messages[-1].is_text
        assert sent["id"] != json.loads(id), "the wire carries the caller's id"
        assert isinstance(sent["id"], int) == isinstance(json.loads(id), int)
    message = b'{"x":{"id":1}}'
    assert json.loads(client.send(own, message, "application/json")) == {"x": {"id": 1}}
    assert "id" in json.loads(session.messages[-1].data)
    assert json.loads(client.send(own, b"{}", "text/plain")) == {}


def test_send_by_a_connect_is_json_or_binary(client, feed):
    id = client.connect(feed.url("/rpc")).id
    reply = client.send(id, b'{"id":41,"params":{"a":[1]}}', "application/json")
    assert json.loads(reply) == {"id": 41, "result": {"a": [1]}}
    id = client.connect(feed.url("/prefix")).id
    payload = bytes(range(256))
    assert client.send(id, payload, "application/octet-stream") == payload


def test_send_matches_replies_out_of_order(client, peer, correlated, name):
    path = f"/mute/{name()}"
    own = correlated(peer.url(path))
    session = peer.session(path)
    answers = {}

    def call(number):
        answers[number] = client.send(own, b'{"id":%d,"n":%d}' % (number, number), "text/plain")

    threads = [threading.Thread(target=call, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    eventually(lambda: len(session.messages) == 20, 10, "twenty requests")
    session.send(*[m.data.decode() for m in reversed(session.messages)])
    for thread in threads:
        thread.join(10)
    assert {n: json.loads(a) for n, a in answers.items()} == {
        n: {"id": n, "n": n} for n in range(20)}


def test_send_by_a_nested_field(client, peer, correlated, name):
    path = f"/echo/{name()}"
    own = correlated(peer.url(path), mode="jsonField", field="meta.req.id")
    message = b'{"meta":{"req":{"id":"caller","k":1}},"id":5}'
    assert client.send(own, message, "application/json") == message
    sent = json.loads(peer.session(path).messages[-1].data)
    assert sent["id"] == 5 and sent["meta"]["req"]["id"] != "caller"
    assert json.loads(client.send(own, b'{"a":1}', "application/json")) == {"a": 1}
    with refused("INVALID_ARGUMENT", "correlation.field"):
        client.send(own, b'{"meta":3}', "application/json")


def test_send_in_an_envelope(client, feed, peer, correlated, name):
    own = correlated(feed.url("/envelope"), mode="envelope")
    for text in ["plain", '{"a":"\\u0000 \\" ü"}', "", "line\nbreak\ttab \\ / 緑 🟢"]:
        assert client.send(own, text.encode(), "text/plain") == text.encode()
    path = f"/mute/{name()}"
    own = correlated(peer.url(path), mode="envelope")
    with refused("DEADLINE_EXCEEDED", "Request timeout"):
        client.send(own, b"payload", "text/plain", timeout_ms=100)
    sent = peer.session(path).messages[-1]
    body = json.loads(sent.data)
    assert sent.is_text and set(body) == {"id", "payload"} and body["payload"] == "payload"
    assert str(uuid.UUID(body["id"])) == body["id"].lower()
    with refused("INVALID_ARGUMENT", "correlation.mode"):
        client.send(own, b"\xff", "application/octet-stream")


def test_send_with_a_prefix(client, peer, correlated, name):
    path = f"/echo/{name()}"
    own = correlated(peer.url(path), mode="prefix")
    for payload in (b"", b"x", bytes(range(256)) * 100):
        assert client.send(own, payload, "application/octet-stream") == payload
        sent = peer.session(path).messages[-1]
        assert not sent.is_text and len(sent.data) == 16 + len(payload)
    with refused("INVALID_ARGUMENT", "correlation.mode"):
        client.send(own, b"text", "text/plain")


def test_send_next_takes_the_first_match_in_order(client, peer, correlated, name):
    path = f"/mute/{name()}"
    own = correlated(peer.url(path), mode="next", match={"prefix": "ok "})
    session, topic = peer.session(path), name()
    reader = client.subscribe(topic)
    client.start_publish(own, topic)
    answers = {}

    def call(number):
        answers[number] = client.send(own, b"ask %d" % number, "text/plain")

    threads = [threading.Thread(target=call, args=(number,)) for number in (1, 2)]
    for thread in threads:
        thread.start()
    eventually(lambda: len(session.messages) == 1, 10, "the first request")
    stays(lambda: len(session.messages) == 1, 0.2, "two sends in flight at one time")
    first = session.messages[0].data
    session.send("tick", "ok one", "tock")
    eventually(lambda: len(session.messages) == 2, 10, "the second request")
    session.send("ok two", "ok extra")
    for thread in threads:
        thread.join(10)
    order = [1, 2] if first == b"ask 1" else [2, 1]
    assert [answers[n] for n in order] == [b"ok one", b"ok two"]
    # The bus has all but the replies; "ok extra" came while nobody waited.
    assert [bytes(m.data) for m in reader.wait(3)] == [b"tick", b"tock", b"ok extra"]


@pytest.mark.parametrize("text", [b"plain", b"", b"[1,2]", b'"x"', b"{", b'{"a":1} x', b"null"])
def test_auto_refuses_text_that_is_no_json_object(client, open_connection, text):
    id, session = open_connection()
    with refused("INVALID_ARGUMENT", "correlation.mode"):
        client.send(id, text, "text/plain")
    assert session.messages == []


def test_send_times_out(client, peer, open_connection, correlated, name):
    id, _ = open_connection()
    with refused("DEADLINE_EXCEEDED", "Request timeout"):
        client.send(id, b'{"id":1}', "application/json", timeout_ms=150)
    own = correlated(peer.url(f"/mute/{name()}"), timeout="200ms")
    with refused("DEADLINE_EXCEEDED", "Request timeout"):
        client.send(own, b'{"id":1}', "application/json", timeout_ms=0)
    with refused("INVALID_ARGUMENT", "timeout_ms"):
        client.send(id, b"{}", "application/json", timeout_ms=-1)


def test_send_in_flight_ends_with_its_socket(client, open_connection):
    id, session = open_connection()
    errors = []

    def call():
        try:
            client.send(id, b"{}", "application/json", timeout_ms=20_000)
        except grpc.RpcError as error:
            errors.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    eventually(lambda: session.messages, 10, "the request")
    session.drop()
    thread.join(5)
    assert [error.code().name for error in errors] in (["FAILED_PRECONDITION"], ["UNAVAILABLE"])


def test_too_many_sends_in_flight(client, peer, correlated, name):
    path = f"/mute/{name()}"
    own = correlated(peer.url(path), maxPending=1)
    waiting = client.ws.Send.future(
        ws.SendRequest(id=own, message=b"{}", content_type="text/plain", timeout_ms=20_000))
    eventually(lambda: peer.session(path).messages, 10, "the request")
    with refused("RESOURCE_EXHAUSTED", "correlation.maxPending"):
        client.send(own, b"{}", "text/plain")
    peer.session(path).send(peer.session(path).messages[0].data.decode())
    assert json.loads(waiting.result(10).response) == {}
    waiting = client.ws.Send.future(
        ws.SendRequest(id=own, message=b"{}", content_type="text/plain", timeout_ms=20_000))
    eventually(lambda: len(peer.session(path).messages) == 2, 10, "the request")
    waiting.cancel()

    def is_free():
        try:
            client.send(own, b"{}", "text/plain", timeout_ms=50)
        except grpc.RpcError as error:
            return error.code() == grpc.StatusCode.DEADLINE_EXCEEDED

    eventually(is_free, 10, "the place of a caller who went away")


def test_a_reply_is_not_published(client, peer, open_connection, name):
    id, session = open_connection("echo")
    topic = name()
    reader = client.subscribe(topic)
    client.start_publish(id, topic)
    assert client.send(id, b'{"id":"a"}', "application/json") == b'{"id":"a"}'
    assert client.send(id, b"\x00\x01", "application/octet-stream") == b"\x00\x01"
    session.send("pushed", '{"id":"a"}', '{"id":"00000000-0000-4000-8000-000000000000"}')
    assert [bytes(m.data) for m in reader.wait(3)] == [
        b"pushed", b'{"id":"a"}', b'{"id":"00000000-0000-4000-8000-000000000000"}']
    assert [m.sequence for m in reader.items] == sorted({m.sequence for m in reader.items})


# Disconnect


def test_disconnect_closes_in_order_and_forgets(client, peer, open_connection):
    id, session = open_connection(auto_reconnect=True)
    client.disconnect(id)
    eventually(lambda: session.closed_at, 10, "the end of the socket")
    assert session.close_code == 1000
    assert client.listed(id) is None
    with refused("NOT_FOUND", "Connection not found"):
        client.disconnect(id)
    stays(lambda: len(peer.dials(session.path)) == 1, 0.5, "dialled after Disconnect")


def test_disconnect_leaves_what_a_manifest_declares(client, peer, correlated, name):
    own = correlated(peer.url(f"/mute/{name()}"))
    with refused("FAILED_PRECONDITION", own):
        client.disconnect(own)
    assert client.listed(own).status == "connected"


# Lifecycle

PREFIX = "com.virtufin.websocketmanager.connection."


def words(reader, id):
    """The events of one connection that the older service has, in order."""
    known = {"connected", "disconnected", "reconnecting", "error"}
    found = [e["type"].removeprefix(PREFIX) for e in list(reader.items)
             if e["data"]["connection_id"] == id]
    return [word for word in found if word in known]


def test_lifecycle_events_come_in_order(client, peer, open_connection):
    reader = client.events()
    # Nothing tells that a reader is there but an event.
    probe, _ = open_connection()
    eventually(lambda: words(reader, probe) or not client.connect(peer.url("/mute/probe")), 10)
    id, session = open_connection(auto_reconnect=True)
    eventually(lambda: words(reader, id) == ["connected"], 10, lambda: words(reader, id))
    session.close(1001, "restarting")
    expected = ["connected", "reconnecting", "connected"]
    eventually(lambda: words(reader, id) == expected, 15, lambda: words(reader, id))
    peer.session(session.path).drop()
    expected += ["error", "reconnecting", "connected"]
    eventually(lambda: words(reader, id) == expected, 15, lambda: words(reader, id))
    client.disconnect(id)
    expected += ["disconnected"]
    eventually(lambda: words(reader, id) == expected, 10, lambda: words(reader, id))
    events = [e for e in reader.items if e["data"]["connection_id"] == id]
    for event in events:
        assert event["specversion"] == "1.0"
        assert event["source"] == "urn:com.virtufin.websocketmanager"
        assert event["subject"] == f"connection/{id}"
        assert event["data"]["url"] == peer.url(session.path)
        assert event["data"]["instance_id"] == client.info().instance_id
    assert len({e["id"] for e in events}) == len(events)
    by_word = {e["type"].removeprefix(PREFIX): e["data"] for e in events}
    assert by_word["reconnecting"]["attempt"] >= 1
    assert by_word["error"]["error_type"] and by_word["error"]["error_message"]
    assert "reason" in by_word["connected"] and "reason" in by_word["disconnected"]


def test_lifecycle_without_reconnect(client, open_connection):
    closed, session = open_connection()
    session.close()
    dropped, session = open_connection()
    session.drop()
    reader = client.events(replay=True)
    eventually(lambda: words(reader, closed) == ["connected", "disconnected"], 10,
               lambda: words(reader, closed))
    eventually(lambda: words(reader, dropped) == ["connected", "error", "disconnected"], 10,
               lambda: words(reader, dropped))
    one = client.events(connection=closed, replay=True)
    one.wait(2)
    assert {e["data"]["connection_id"] for e in one.items} == {closed}


def test_events_hold_no_query(client, peer, name):
    path = f"/mute/{name()}"
    id = client.connect(peer.url(f"{path}?token=secret")).id
    topic = name()
    messages, events = client.subscribe(topic), client.events(connection=id, replay=True)
    client.start_publish(id, topic)
    peer.session(path).send("x")
    assert messages.wait(1)[0].url == peer.url(path)
    assert events.wait(1)[0]["data"]["url"] == peer.url(path)
    assert "secret" not in json.dumps(events.items)


# Last: it began with the module.


def test_connect_that_hangs_ends_by_its_deadline(client, peer, hanging):
    threads, results = hanging
    for thread in threads:
        thread.join(40)
    for auto_reconnect in (True, False):
        error = results[auto_reconnect]
        assert error is not None and error.code() == grpc.StatusCode.DEADLINE_EXCEEDED, error
        assert [c for c in client.list() if "/hang/" in c.url] == []
        assert [o for o in client.objects() if "/hang/" in o.url] == []
        assert len(peer.dials(f"/hang/{auto_reconnect}")) == 1
