"""Callers of the HTTP port, written from the protocols' own descriptions: routes of the proto's
google.api.http rules, gRPC-Web by hand, unary Connect. `json_format` is the JSON mapping."""

import base64
import contextlib
import http.client
import json
import struct
import urllib.parse

import grpc
from google.protobuf import json_format

from stubs import annotations, v1, ws

CALL = 30.0
SERVICES = {
    "ws": ws.DESCRIPTOR.services_by_name["WebSocketManager"],
    "v1": v1.DESCRIPTOR.services_by_name["Orchestrator"],
}
_CLASSES = {}
for module in (ws, v1):
    for descriptor in module.DESCRIPTOR.message_types_by_name.values():
        _CLASSES[descriptor.full_name] = getattr(module, descriptor.name)


def message_class(descriptor):
    return _CLASSES[descriptor.full_name]


def message_classes():
    """Every message of both services, by full name."""
    return dict(_CLASSES)


def rules(method):
    """(HTTP method, path, takes a body) of every binding."""
    rule = method.GetOptions().Extensions[annotations.http]
    return [
        (one.WhichOneof("pattern").upper(), getattr(one, one.WhichOneof("pattern")),
         one.body == "*")
        for one in [rule, *rule.additional_bindings]
    ]


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.body = response.read()

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def type(self):
        return self.headers.get("content-type", "")


class Http:
    """Plain HTTP/1.1; a connection for each request."""

    def __init__(self, port):
        self.port = port

    def request(self, method, path, body=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=CALL)
        with contextlib.closing(connection):
            fields = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, fields)
            return Answer(connection.getresponse())

    def json(self, method, path, value, **headers):
        return self.request(
            method, path, json.dumps(value), content_type="application/json", **headers)

    def get(self, path, **headers):
        return self.request("GET", path, **headers)

    @contextlib.contextmanager
    def stream(self, path, **headers):
        """The response of a stream while it runs."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=CALL)
        with contextlib.closing(connection):
            fields = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request("GET", path, headers=fields)
            yield connection.getresponse()


def events(response):
    """Server-sent events as they come: dictionaries with event, id and data."""
    event = {}
    while line := response.readline():
        text = line.decode().rstrip("\n")
        if text == "":
            if event:
                yield event
            event = {}
        elif not text.startswith(":"):
            name, _, value = text.partition(":")
            event[name] = value.removeprefix(" ")


class CallFailed(Exception):
    def __init__(self, code, message):
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class Caller:
    """Calls `virtufin.WebSocketManager` by one protocol."""

    def __init__(self, port, service="ws"):
        self.http = Http(port)
        self.service = SERVICES[service]

    def __call__(self, name, /, **fields):
        method = self.service.methods_by_name[name]
        request = message_class(method.input_type)(**fields)
        return self.call(method, request, message_class(method.output_type)())


class Route(Caller):
    """By the first binding of the proto, or by the last (the other generation's)."""

    binding = 0
    proto_names = False

    def call(self, method, request, reply):
        verb, path, takes_body = rules(method)[self.binding]
        value = json_format.MessageToDict(
            request, preserving_proto_field_name=self.proto_names,
            always_print_fields_with_no_presence=True)
        for field in list(value):
            if "{" + field + "}" in path:
                text = urllib.parse.quote(value.pop(field), safe="")
                path = path.replace("{" + field + "}", text)
        if takes_body:
            answer = self.http.json(verb, path, value)
        else:
            pairs = []
            for field, content in value.items():
                for one in content if isinstance(content, list) else [content]:
                    if isinstance(one, dict):
                        one = json.dumps(one)
                    elif isinstance(one, bool):
                        one = "true" if one else "false"
                    pairs.append((field, one))
            answer = self.http.request(verb, path + "?" + urllib.parse.urlencode(pairs))
        assert answer.type == "application/json", answer.body
        if answer.status != 200:
            error = answer.json
            assert set(error) == {"code", "message", "details"}, error
            assert answer.status == STATUS[error["code"]], error
            raise CallFailed(error["code"], error["message"])
        json_format.Parse(answer.body, reply)
        # It prints what is unset too, just as this mapping does when told so.
        again = json_format.MessageToDict(reply, always_print_fields_with_no_presence=True)
        assert answer.json == again
        return reply


class OtherRoute(Route):
    binding = -1
    proto_names = True


class ConnectProto(Caller):
    content_type = "application/proto"

    def encode(self, request):
        return request.SerializeToString()

    def decode(self, body, reply):
        reply.ParseFromString(body)

    def call(self, method, request, reply):
        answer = self.http.request(
            "POST", f"/{self.service.full_name}/{method.name}", self.encode(request),
            content_type=self.content_type, connect_protocol_version="1",
            connect_timeout_ms="20000")
        if answer.status != 200:
            assert answer.type == "application/json"
            code = answer.json["code"].upper()
            assert answer.status == STATUS[code]
            raise CallFailed(code, answer.json["message"])
        assert answer.type == self.content_type
        self.decode(answer.body, reply)
        return reply


class ConnectJson(ConnectProto):
    content_type = "application/json"

    def encode(self, request):
        return json_format.MessageToJson(request)

    def decode(self, body, reply):
        json_format.Parse(body, reply)


class GrpcWeb(Caller):
    content_type = "application/grpc-web+proto"

    def pack(self, data):
        return data

    def unpack(self, data):
        return data

    def frames(self, body):
        data = self.unpack(body)
        while data:
            flags, length = struct.unpack(">BI", data[:5])
            assert len(data) >= 5 + length, "a frame is cut"
            yield flags, data[5:5 + length]
            data = data[5 + length:]

    def exchange(self, method, request):
        """All messages and the trailers."""
        data = request.SerializeToString()
        answer = self.http.request(
            "POST", f"/{self.service.full_name}/{method.name}",
            self.pack(struct.pack(">BI", 0, len(data)) + data),
            content_type=self.content_type, x_grpc_web="1", grpc_timeout="20S")
        assert answer.status == 200, answer.body
        assert answer.type == self.content_type
        messages, trailers = [], None
        for flags, content in self.frames(answer.body):
            assert trailers is None, "something follows the trailers"
            if flags == 0x80:
                lines = content.decode("ascii").split("\r\n")
                assert lines.pop() == ""
                trailers = dict(line.split(":", 1) for line in lines)
            else:
                assert flags == 0
                messages.append(content)
        assert trailers is not None, "no trailers"
        return messages, trailers

    def call(self, method, request, reply):
        messages, trailers = self.exchange(method, request)
        code = int(trailers["grpc-status"])
        if code != 0:
            name = next(one.name for one in grpc.StatusCode if one.value[0] == code)
            raise CallFailed(name, urllib.parse.unquote(trailers["grpc-message"]))
        assert len(messages) == 1
        reply.ParseFromString(messages[0])
        return reply


class GrpcWebText(GrpcWeb):
    content_type = "application/grpc-web-text+proto"

    def pack(self, data):
        # In two parts with padding of their own, as a client that writes twice does.
        return base64.b64encode(data[:4]) + base64.b64encode(data[4:])

    def unpack(self, data):
        out = b""
        while data:
            end = data.find(b"=")
            end = len(data) if end < 0 else end + (2 if data[end:end + 2] == b"==" else 1)
            out += base64.b64decode(data[:end], validate=True)
            data = data[end:]
        return out


STATUS = {
    "CANCELLED": 499, "UNKNOWN": 500, "INVALID_ARGUMENT": 400, "DEADLINE_EXCEEDED": 504,
    "NOT_FOUND": 404, "ALREADY_EXISTS": 409, "PERMISSION_DENIED": 403,
    "RESOURCE_EXHAUSTED": 429, "FAILED_PRECONDITION": 400, "ABORTED": 409, "OUT_OF_RANGE": 400,
    "UNIMPLEMENTED": 501, "INTERNAL": 500, "UNAVAILABLE": 503, "DATA_LOSS": 500,
    "UNAUTHENTICATED": 401,
}
EVERY_WAY = [Route, OtherRoute, ConnectJson, ConnectProto, GrpcWeb, GrpcWebText]
