"""The HTTP port: every RPC of the older service by every protocol, streams, refusals, pages."""

import json
import random
import subprocess

import pytest
from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor
from openapi_spec_validator import validate

from client import connection
from http_calls import (
    EVERY_WAY, CallFailed, GrpcWeb, GrpcWebText, Http, Route, events, message_classes, rules,
    SERVICES)
from processes import binary
from stubs import v1
from waiting import eventually


@pytest.fixture
def http(server):
    return Http(server.process.http_port)


@pytest.fixture(params=EVERY_WAY, ids=lambda way: way.__name__)
def call(server, request):
    return request.param(server.process.http_port)


def refused(code, call, name, /, **fields):
    with pytest.raises(CallFailed) as caught:
        call(name, **fields)
    assert caught.value.code == code
    assert caught.value.message
    return caught.value.message


# All eleven RPCs, six ways


def test_every_call_does_what_it_says(call, peer, name):
    path = f"/echo/{name()}"
    made = call("Connect", url=peer.url(path), auto_reconnect=True, tags={"venue": "x ä/&"})
    assert made.status == "connected"
    session = peer.session(path)

    found = call("List", filters=[{"key": "venue", "value": "x ä/&"}])
    one = next(each for each in found.connections if each.id == made.id)
    assert (one.url, one.status, dict(one.tags)) == (
        peer.url(path), "connected", {"venue": "x ä/&"})
    assert made.id not in [
        each.id for each in call("List", filters=[{"key": "venue", "value": "no"}]).connections]

    call("StartPublish", id=made.id, topic=f"topic.{made.id}")
    assert next(each for each in call("List").connections if each.id == made.id).topic
    reply = call("Send", id=made.id, message=b'{"a":1}', content_type="application/json")
    assert json.loads(reply.response)["a"] == 1
    call("SendRaw", id=made.id, message=b"\x00\xff\x80", content_type="")
    eventually(
        lambda: b"\x00\xff\x80" in [message.data for message in session.messages], 10,
        "the raw bytes at the peer")

    call("SetTag", id=made.id, key="k/ä?", value="v")
    assert call("GetTag", id=made.id, key="k/ä?").value == "v"
    assert call("GetTag", id=made.id, key="absent").value == ""
    call("SetTags", id=made.id, tags={"only": "this"})
    assert dict(call("GetTags", id=made.id).tags) == {"only": "this"}
    call("StopPublish", id=made.id)
    assert next(each for each in call("List").connections if each.id == made.id).topic == ""
    call("Disconnect", id=made.id)
    assert made.id not in [each.id for each in call("List").connections]


def test_bad_calls_have_their_code_and_sentence(call, peer, name):
    assert "url" in refused("INVALID_ARGUMENT", call, "Connect", url="")
    refused("UNAVAILABLE", call, "Connect", url=peer.url(f"/status/{name()}?code=503"))
    for method, fields in [
        ("Disconnect", {}), ("StartPublish", {"topic": "t"}), ("StopPublish", {}),
        ("Send", {"message": b"{}"}), ("SendRaw", {"message": b"x"}),
        ("SetTag", {"key": "k", "value": "v"}), ("GetTag", {"key": "k"}),
        ("SetTags", {"tags": {"a": "b"}}), ("GetTags", {}),
    ]:
        assert "not found" in refused("NOT_FOUND", call, method, id="nobody", **fields)
    made = call("Connect", url=peer.url(f"/mute/{name()}"))
    assert "Topic is required" in refused(
        "INVALID_ARGUMENT", call, "StartPublish", id=made.id, topic="")
    refused("DEADLINE_EXCEEDED", call, "Send", id=made.id, message=b"{}", timeout_ms=50)
    refused("INVALID_ARGUMENT", call, "SetTag", id=made.id, key="k" * 129, value="v")
    call("Disconnect", id=made.id)


def test_every_rule_of_both_services_is_a_route(http):
    """By a wrong field: each answers 400 with a sentence, or 404 for an object; none is unknown."""
    for service in SERVICES.values():
        for method in service.methods:
            for verb, path, takes_body in rules(method):
                path = path.replace("{kind}", "Connection").replace("{", "").replace("}", "")
                answer = (
                    http.json(verb, path, {"nope": 1}) if takes_body
                    else http.request(verb, path + "?nope=1"))
                assert answer.status == 400, (path, answer.body)
                assert "nope" in answer.json["message"]
                wrong = http.request("PATCH", path)
                assert wrong.status == 405
                assert verb in wrong.headers["allow"]


# The JSON mapping against another implementation


def _random_value(field, rng, depth):
    kinds = FieldDescriptor
    if field.type == kinds.TYPE_STRING:
        return "".join(rng.choice(["", "a", "ä", '"', "\\", "\n", "\x7f", " ", "😀", "\x01"])
                       for _ in range(rng.randrange(5)))
    if field.type == kinds.TYPE_BYTES:
        return rng.randbytes(rng.randrange(8))
    if field.type == kinds.TYPE_BOOL:
        return rng.random() < 0.5
    if field.type == kinds.TYPE_ENUM:
        return rng.choice(field.enum_type.values).number
    if field.type == kinds.TYPE_MESSAGE:
        return _random_message(message_classes()[field.message_type.full_name], rng, depth + 1)
    low, high = {
        kinds.TYPE_INT32: (-1 << 31, (1 << 31) - 1), kinds.TYPE_UINT32: (0, (1 << 32) - 1),
        kinds.TYPE_INT64: (-1 << 63, (1 << 63) - 1), kinds.TYPE_UINT64: (0, (1 << 64) - 1),
    }[field.type]
    return rng.choice([low, high, 0, rng.randint(low, high)])


def _random_message(kind, rng, depth=0):
    message = kind()
    for field in kind.DESCRIPTOR.fields:
        if rng.random() < 0.4 or depth > 3:
            continue
        many = rng.randrange(4)
        is_map = field.message_type and field.message_type.GetOptions().map_entry
        if is_map:
            key, value = field.message_type.fields
            for _ in range(many):
                getattr(message, field.name)[_random_value(key, rng, depth)] = _random_value(
                    value, rng, depth)
        elif field.is_repeated:
            values = [_random_value(field, rng, depth) for _ in range(many)]
            getattr(message, field.name).extend(values)
        elif field.message_type:
            getattr(message, field.name).CopyFrom(_random_value(field, rng, depth))
        else:
            setattr(message, field.name, _random_value(field, rng, depth))
    return message


def _transcode(lines):
    done = subprocess.run(
        [binary("wsm-transcode")], input="\n".join(lines) + "\n", text=True,
        capture_output=True, timeout=60, check=True)
    return done.stdout.split("\n")[:-1]


def test_an_independent_transcoder_agrees_on_every_message():
    seed = random.randrange(1 << 32)
    rng = random.Random(seed)
    cases = [(name, kind, _random_message(kind, rng))
             for name, kind in message_classes().items() for _ in range(30)]
    lines = []
    for at, (name, _, message) in enumerate(cases):
        text = json_format.MessageToJson(
            message, indent=None, preserving_proto_field_name=at % 2 == 0,
            always_print_fields_with_no_presence=at % 3 == 0, ensure_ascii=at % 5 == 0)
        lines.append(f"json {name} {text}")
        lines.append(f"wire {name} {message.SerializeToString().hex()}")
    answers = _transcode(lines)
    assert len(answers) == len(lines)
    for (name, kind, message), wire, text in zip(cases, answers[::2], answers[1::2]):
        assert kind.FromString(bytes.fromhex(wire)) == message, (name, seed)
        assert json.loads(text) == json_format.MessageToDict(
            message, always_print_fields_with_no_presence=True), (name, seed)
        assert json_format.Parse(text, kind()) == message, (name, seed)


def test_both_refuse_what_is_no_such_message():
    lines = [
        'json virtufin.ConnectRequest {"url":1}',
        'json virtufin.ConnectRequest {"nope":1}',
        'json virtufin.ConnectRequest {"autoReconnect":"true"}',
        'json virtufin.ConnectRequest {"tags":{"a":1}}',
        'json virtufin.SendRequest {"timeoutMs":2147483648}',
        'json virtufin.SendRequest {"timeoutMs":1.5}',
        'json virtufin.ListRequest {"filters":{}}',
        'json wsm.v1.SubscribeRequest {"start":"SOMEWHERE"}',
        'json wsm.v1.SubscribeRequest {"afterPosition":"-1"}',
        'json wsm.v1.ApplyRequest {"header":{},"chunk":{}}',
    ]
    for line, answer in zip(lines, _transcode(lines)):
        _, name, text = line.split(" ", 2)
        with pytest.raises(json_format.ParseError):
            json_format.Parse(text, message_classes()[name]())
        assert answer.startswith("refused: "), line


# wsm.v1 over HTTP


def test_objects_are_applied_read_and_deleted(server, http, peer, name):
    call = Route(server.process.http_port, "v1")
    one = name()
    manifest = connection(one, peer.url(f"/mute/{one}"), labels={"l": one})
    body = {"header": {"set": one, "appliedBy": "me"}, "documents": [manifest]}
    plan = http.json("POST", "/wsm/v1/plan", body)
    assert plan.type == "application/x-ndjson"
    assert json.loads(plan.body.split(b"\n")[-2])["summary"]["created"] == 1
    applied = http.json("POST", "/wsm/v1/apply", body)
    lines = [json.loads(line) for line in applied.body.splitlines()]
    assert lines[0]["results"]["results"][0]["action"] == "RESULT_ACTION_CREATED"
    assert lines[-1]["summary"]["created"] == 1

    got = call("Get", kind="Connection", name=one)
    assert json.loads(got.json)["metadata"]["name"] == one
    listed = call("List", label_selector=f"l={one}", page_size=7)
    assert [each.name for each in listed.objects] == [one]
    assert [each.number for each in call("GetHistory", set=one).revisions] == [1]
    assert call("GetServerInfo").instance_id
    assert call("GetServerStatus").ready
    assert call("Delete", kind="Connection", name=one, set=one).deleted == 1
    refused("NOT_FOUND", call, "Get", kind="Connection", name=one)


def test_an_apply_tells_what_is_wrong_with_its_place(http, name):
    bad = connection(name(), "http://x")
    answer = http.json("POST", "/wsm/v1/apply", {"header": {"set": "s"}, "documents": [bad]})
    assert answer.status == 400
    assert "documents[0]" in answer.json["message"]


def _topic(http, peer, name):
    """A connection with a topic of its own, and its session."""
    one = name()
    path = f"/mute/{one}"
    manifest = connection(one, peer.url(path), topic=f"t.{one}")
    answer = http.json("POST", "/wsm/v1/apply", {"header": {"set": one}, "documents": [manifest]})
    assert answer.status == 200, answer.body
    return f"t.{one}", peer.session(path)


def test_events_of_a_topic_go_on_where_a_reader_was(http, peer, name):
    topic, session = _topic(http, peer, name)
    path = f"/wsm/v1/topics/{topic}/messages"
    for text in ("one", "two", "three"):
        session.send(text)
    with http.stream(path + "?start=START_POSITION_OLDEST", Accept="text/event-stream") as stream:
        assert stream.status == 200
        assert stream.getheader("Content-Type") == "text/event-stream"
        reader = events(stream)
        seen = [next(reader) for _ in range(3)]
    messages = [json_format.Parse(event["data"], v1.TopicMessage()) for event in seen]
    epoch = messages[0].epoch
    assert epoch > 0
    assert [event["id"] for event in seen] == [f"{epoch}.{n}" for n in (1, 2, 3)]
    assert [message.data for message in messages] == [b"one", b"two", b"three"]
    with http.stream(path, Accept="text/event-stream", Last_Event_ID=seen[0]["id"]) as stream:
        reader = events(stream)
        assert [next(reader)["id"] for _ in range(2)] == [f"{epoch}.2", f"{epoch}.3"]
        session.send("four")
        assert next(reader)["id"] == f"{epoch}.4"
    # From another life of the server, before or behind where this one stands: a gap of unknown
    # length, then what there is.
    for mark in (f"{epoch - 1}.2", f"{epoch - 1}.99", f"{epoch}.99", "99"):
        with http.stream(path, Accept="text/event-stream", Last_Event_ID=mark) as stream:
            first, second = (event for event, _ in zip(events(stream), range(2)))
            assert first == {"event": "gap", "data": '{"missed":null}'}, mark
            assert second["id"] == f"{epoch}.1", mark


def test_a_topic_is_lines_without_accept(http, peer, name):
    topic, session = _topic(http, peer, name)
    session.send("one")
    path = f"/wsm/v1/topics/{topic}/messages?start=START_POSITION_OLDEST"
    with http.stream(path) as stream:
        assert stream.getheader("Content-Type") == "application/x-ndjson"
        response = json_format.Parse(stream.readline(), v1.SubscribeResponse())
    assert response.messages[0].data == b"one"


def test_lifecycle_events_are_cloudevents(http, peer, name):
    topic, _ = _topic(http, peer, name)
    one = topic.removeprefix("t.")
    path = f"/wsm/v1/events?replay=true&connection={one}"
    with http.stream(path, Accept="text/event-stream") as stream:
        event = json.loads(next(events(stream))["data"])
    assert event["specversion"] == "1.0"
    assert event["websocketid"] == one


@pytest.mark.parametrize("way", [GrpcWeb, GrpcWebText])
def test_a_stream_by_grpc_web_ends_with_its_status(server, way):
    call = way(server.process.http_port, "v1")
    method = call.service.methods_by_name["Rollback"]
    messages, trailers = call.exchange(method, v1.RollbackRequest(set="nobody", to=1))
    assert messages == []
    assert trailers["grpc-status"] != "0"
    topic = SERVICES["v1"].methods_by_name["Subscribe"]
    messages, trailers = call.exchange(topic, v1.SubscribeRequest(topic=""))
    assert trailers["grpc-status"] == "3"


def test_streams_end_with_a_last_word(new_server):
    server = new_server()
    http = Http(server.process.http_port)
    with http.stream("/wsm/v1/watch", Accept="text/event-stream") as stream:
        reader = events(stream)
        json.loads(next(reader)["data"])
        server.process.popen.terminate()
        last = list(reader)[-1]
    assert last["event"] == "error"
    assert json.loads(last["data"])["code"] == "UNAVAILABLE"
    assert server.process.popen.wait(20) == 0


# Refusals


def test_foreign_hosts_and_origins_are_refused(http, new_server):
    for host in ("evil.example", "evil.example:5001", "127.0.0.1.evil.example", "10.1.2.3"):
        assert http.get("/v1/connections", Host=host).status == 403
    for host in ("localhost", "127.0.0.1", "[::1]:1", f"localhost:{http.port}"):
        assert http.get("/v1/connections", Host=host).status == 200
    for origin in ("http://evil.example", "null", "https://localhost"):
        assert http.get("/v1/connections", Origin=origin).status == 403
        asked = http.request("OPTIONS", "/v1/connections", Origin=origin,
                             Access_Control_Request_Method="POST")
        assert asked.status == 403
        assert "access-control-allow-origin" not in asked.headers


def test_only_bounded_json_is_taken(http):
    path = "/v1/connections/nobody/publish"
    for kind in ("text/plain", "application/x-www-form-urlencoded", "application/xml"):
        assert http.request("POST", path, "{}", content_type=kind).status == 415
    for body in ("{", '{"topic":1}', '{"topic":"a","topic":"b"}', b'{"topic":"\xff"}', "[]", "1"):
        answer = http.request("POST", path, body, content_type="application/json")
        assert answer.status == 400, body
        assert answer.json["code"] == "INVALID_ARGUMENT"
    large = json.dumps({"topic": "x" * (4 << 20)})
    assert http.request("POST", path, large, content_type="application/json").status == 413
    assert http.get("/v1/connections?" + "a=b&" * 3_000).status == 414
    assert http.get("/v1/connections?a=%zz").status == 400
    assert http.get("/nothing/here").status == 404


# Pages


def test_probes_and_pages(http):
    for path in ("/livez", "/readyz", "/healthz", "/health", "/health/live"):
        answer = http.get(path)
        assert (answer.status, answer.body) == (200, b"ok\n")
    assert b"readyz check passed" in http.get("/readyz?verbose").body
    metrics = http.get("/metrics")
    assert metrics.type.startswith("text/plain; version=0.0.4")
    assert b"\nwsm_build_info{" in metrics.body
    assert http.get("/").json["openapi"] == "/openapi.json"


def test_the_openapi_description_is_valid_and_whole(http):
    document = http.get("/openapi.json").json
    validate(document)
    for service in SERVICES.values():
        for method in service.methods:
            for verb, path, _ in rules(method):
                assert verb.lower() in document["paths"][path]
    assert "Error" in document["components"]["schemas"]
