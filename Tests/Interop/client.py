"""A gRPC client of both services, and readers of their streams."""

import json
import threading

import grpc

from stubs import v1, v1_grpc, ws, ws_grpc
from waiting import eventually

CALL = 30.0
Action = v1.ResultAction


def connection(name, url, topic=None, labels=None, annotations=None, **spec):
    """The manifest of a Connection."""
    metadata = {"name": name}
    if labels:
        metadata["labels"] = labels
    if annotations:
        metadata["annotations"] = annotations
    body = {"url": url, **spec}
    if topic:
        body["topic"] = topic
    return {
        "apiVersion": "wsm.virtufin.com/v1",
        "kind": "Connection",
        "metadata": metadata,
        "spec": body,
    }


def connection_set(name, member_name, template, labels=None, **rows):
    """The manifest of a ConnectionSet; `rows` is `list=` or `matrix=`."""
    body = {"name": member_name, "template": {"spec": template}, **rows}
    if labels:
        body["template"]["metadata"] = {"labels": labels}
    return {
        "apiVersion": "wsm.virtufin.com/v1",
        "kind": "ConnectionSet",
        "metadata": {"name": name},
        "spec": body,
    }


class ApplyReply:
    def __init__(self, responses):
        self.results = [result for response in responses for result in response.results.results]
        summaries = [r.summary for r in responses if r.WhichOneof("part") == "summary"]
        assert len(summaries) == 1, f"{len(summaries)} summaries"
        assert responses[-1].WhichOneof("part") == "summary", "the summary is not last"
        self.summary = summaries[0]

    @property
    def actions(self):
        """Name → the word of what became of it; of Connections only."""
        return {
            result.name: Action.Name(result.action).removeprefix("RESULT_ACTION_").lower()
            for result in self.results
            if result.kind == "Connection"
        }

    def result(self, name, kind="Connection"):
        found = [r for r in self.results if r.name == name and r.kind == kind]
        assert len(found) == 1, f"{len(found)} results for {kind} {name}"
        return found[0]


class Reader:
    """Collects what a server stream brings, in a thread of its own."""

    def __init__(self, call, take):
        self.call = call
        self.items = []
        self.missed = 0
        self.error = None
        self._take = take
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        try:
            for response in self.call:
                self._take(self, response)
        except grpc.RpcError as error:
            self.error = error

    def wait(self, count, timeout=15.0):
        eventually(
            lambda: len(self.items) >= count, timeout,
            lambda: f"{count} items, there are {len(self.items)} ({self.error})")
        return list(self.items)

    def wait_for(self, check, timeout=15.0, what="an item"):
        return eventually(
            lambda: next((item for item in list(self.items) if check(item)), None), timeout,
            lambda: f"{what} among {self.items[-10:]} ({self.error})")

    def end(self, timeout=15.0):
        """Waits until the server ends the stream."""
        self._thread.join(timeout)
        assert not self._thread.is_alive(), "the stream has not ended"
        return self.error

    def cancel(self):
        self.call.cancel()
        self._thread.join(10)


class _Bearer(grpc.UnaryUnaryClientInterceptor, grpc.UnaryStreamClientInterceptor,
              grpc.StreamUnaryClientInterceptor, grpc.StreamStreamClientInterceptor):
    """Sends a token along with every call."""

    def __init__(self, token):
        self.pair = ("authorization", f"Bearer {token}")

    def _call(self, continuation, details, request):
        metadata = [*(details.metadata or ()), self.pair]
        return continuation(details._replace(metadata=metadata), request)

    intercept_unary_unary = intercept_unary_stream = _call
    intercept_stream_unary = intercept_stream_stream = _call


class Client:
    """`credentials` are those of a TLS channel; `token` goes along with every call."""

    def __init__(self, address, credentials=None, token=None):
        self.address = address
        # With a pool of its own, a client is a TCP connection of its own.
        options = [("grpc.max_send_message_length", 64 << 20),
                   ("grpc.max_receive_message_length", 64 << 20),
                   ("grpc.enable_retries", 0),
                   ("grpc.use_local_subchannel_pool", 1)]
        if credentials:
            self.channel = grpc.secure_channel(address, credentials, options=options)
        else:
            self.channel = grpc.insecure_channel(address, options=options)
        if token:
            self.channel = grpc.intercept_channel(self.channel, _Bearer(token))
        self.ws = ws_grpc.WebSocketManagerStub(self.channel)
        self.v1 = v1_grpc.OrchestratorStub(self.channel)
        self._readers = []

    def close(self):
        for reader in self._readers:
            reader.call.cancel()
        self.channel.close()

    # virtufin.WebSocketManager

    def connect(self, url, auto_reconnect=False, tags=None, timeout=CALL):
        request = ws.ConnectRequest(url=url, auto_reconnect=auto_reconnect, tags=tags or {})
        return self.ws.Connect(request, timeout=timeout)

    def list(self, **filters):
        request = ws.ListRequest(
            filters=[ws.TagFilter(key=key, value=value) for key, value in filters.items()])
        return list(self.ws.List(request, timeout=CALL).connections)

    def listed(self, id):
        return next((c for c in self.list() if c.id == id), None)

    def disconnect(self, id):
        return self.ws.Disconnect(ws.DisconnectRequest(id=id), timeout=CALL)

    def start_publish(self, id, topic):
        return self.ws.StartPublish(ws.StartPublishRequest(id=id, topic=topic), timeout=CALL)

    def stop_publish(self, id):
        return self.ws.StopPublish(ws.StopPublishRequest(id=id), timeout=CALL)

    def send(self, id, message, content_type="", timeout_ms=5000):
        request = ws.SendRequest(
            id=id, message=message, content_type=content_type, timeout_ms=timeout_ms)
        return self.ws.Send(request, timeout=CALL).response

    def send_raw(self, id, message, content_type=""):
        request = ws.SendRawRequest(id=id, message=message, content_type=content_type)
        return self.ws.SendRaw(request, timeout=CALL)

    # wsm.v1

    @staticmethod
    def requests(documents, **header):
        yield v1.ApplyRequest(header=v1.ApplyHeader(**header))
        chunk, size = v1.ApplyChunk(), 0
        for index, document in enumerate(documents):
            text = document if isinstance(document, bytes) else json.dumps(document).encode()
            chunk.documents.add(json=text, origin=f"test.json:{index + 1}:1")
            size += len(text)
            if size > 512 << 10:
                yield v1.ApplyRequest(chunk=chunk)
                chunk, size = v1.ApplyChunk(), 0
        if chunk.documents:
            yield v1.ApplyRequest(chunk=chunk)

    def apply(self, *documents, timeout=CALL, **header):
        call = self.v1.Apply(self.requests(documents, **header), timeout=timeout)
        return ApplyReply(list(call))

    def plan(self, *documents, **header):
        return ApplyReply(list(self.v1.Plan(self.requests(documents, **header), timeout=CALL)))

    def get(self, name, kind="Connection"):
        return self.v1.Get(v1.GetRequest(kind=kind, name=name), timeout=CALL)

    def document(self, name, kind="Connection"):
        return json.loads(self.get(name, kind).json)

    def status(self, name):
        return self.document(name)["status"]

    def objects(self, **query):
        """All pages."""
        found, token = [], ""
        while True:
            page = self.v1.List(v1.ListRequest(page_token=token, **query), timeout=CALL)
            found += page.objects
            token = page.next_page_token
            if not token:
                return found

    def delete(self, name, kind="Connection", set=""):
        request = v1.DeleteRequest(kind=kind, name=name, set=set)
        return self.v1.Delete(request, timeout=CALL).deleted

    def info(self):
        return self.v1.GetServerInfo(v1.GetServerInfoRequest(), timeout=CALL)

    def wait_ready(self, *names, timeout=20.0):
        """Until every one is Ready on its newest generation."""
        wanted = set(names)

        def look():
            if len(wanted) > 5:
                objects = self.objects(brief=True)
            else:
                objects = [self.get(name) for name in wanted]
            ready = {o.name for o in objects
                     if o.ready and o.observed_generation == o.generation}
            return wanted <= ready

        def why():
            open = [(o.name, o.phase, o.reason, o.message, o.last_error)
                    for o in self.objects(brief=True) if o.name in wanted and not o.ready]
            return f"{len(open)} of {len(wanted)} not Ready: {open[:5]}"

        eventually(look, timeout, why, 0.02 if len(wanted) <= 5 else 0.1)

    def wait_object(self, name, check, timeout=15.0):
        def look():
            object = self.get(name)
            return object if check(object) else None

        return eventually(look, timeout, lambda: f"{name}: {str(self.get(name))[:1500]}", 0.02)

    def subscribe(self, topic, start="NEWEST", after=0):
        """A reader of a topic. It is subscribed when this returns."""
        request = v1.SubscribeRequest(
            topic=topic, start=v1.StartPosition.Value(f"START_POSITION_{start}"),
            after_position=after)

        def take(reader, response):
            reader.items += response.messages
            reader.missed += response.missed

        return self._read(self.v1.Subscribe(request), take)

    def events(self, connection="", replay=False):
        """A reader of lifecycle events, each a parsed CloudEvent."""

        def take(reader, response):
            reader.items += [json.loads(event) for event in response.cloudevents]
            reader.missed += response.missed

        request = v1.EventsRequest(connection=connection, replay=replay)
        return self._read(self.v1.Events(request), take)

    def watch(self, **query):
        def take(reader, response):
            reader.items += [
                (v1.WatchAction.Name(change.action).removeprefix("WATCH_ACTION_"), change.object)
                for change in response.changes]

        return self._read(self.v1.Watch(v1.WatchRequest(**query)), take)

    def _read(self, call, take):
        reader = Reader(call, take)
        self._readers.append(reader)
        return reader
