"""Health and reflection, with clients that have no .proto file of ours."""

import threading

import grpc
import pytest
from google.protobuf import descriptor_pool, message_factory
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase)
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from waiting import eventually

SERVICES = {
    "virtufin.WebSocketManager", "wsm.v1.Orchestrator", "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection",
}
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
SERVICE_UNKNOWN = health_pb2.HealthCheckResponse.SERVICE_UNKNOWN


class Dynamic:
    """A client that learns a service from the server it calls."""

    def __init__(self, channel, service):
        self.channel = channel
        self.pool = descriptor_pool.DescriptorPool(ProtoReflectionDescriptorDatabase(channel))
        self.service = self.pool.FindServiceByName(service)

    def call(self, method, **fields):
        found = self.service.methods_by_name[method]
        request = message_factory.GetMessageClass(found.input_type)
        answer = message_factory.GetMessageClass(found.output_type)
        call = self.channel.unary_unary(
            f"/{self.service.full_name}/{method}",
            request_serializer=request.SerializeToString, response_deserializer=answer.FromString)
        return call(request(**fields), timeout=10)


@pytest.fixture
def channel(server):
    channel = grpc.insecure_channel(server.process.address)
    yield channel
    channel.close()


def test_all_eleven_calls_are_driven_by_reflection_alone(channel, peer):
    ws = Dynamic(channel, "virtufin.WebSocketManager")
    assert set(ws.service.methods_by_name) == {
        "Connect", "List", "Disconnect", "StartPublish", "StopPublish", "Send", "SendRaw",
        "SetTag", "GetTag", "SetTags", "GetTags"}
    connected = ws.call("Connect", url=peer.url("/echo/reflection"), tags={"a": "1"})
    id = connected.id
    assert connected.status == "connected"
    assert [c.id for c in ws.call("List", filters=[{"key": "a", "value": "1"}]).connections] == [id]
    ws.call("StartPublish", id=id, topic="reflected")
    ws.call("StopPublish", id=id)
    ws.call("SetTag", id=id, key="b", value="2")
    assert ws.call("GetTag", id=id, key="b").value == "2"
    ws.call("SetTags", id=id, tags={"c": "3"})
    assert dict(ws.call("GetTags", id=id).tags) == {"c": "3"}
    ws.call("SendRaw", id=id, message=b"plain", content_type="text/plain")
    reply = ws.call("Send", id=id, message=b'{"q": 1}', content_type="application/json",
                    timeout_ms=5000)
    assert b'"q"' in reply.response
    ws.call("Disconnect", id=id)
    assert not [c for c in ws.call("List").connections if c.id == id]


def test_the_other_service_is_found_too(channel):
    orchestrator = Dynamic(channel, "wsm.v1.Orchestrator")
    status = orchestrator.call("GetServerStatus")
    assert status.ready
    assert {"server", "state-store", "bus", "reconciler", "event-loops"} <= {
        check.name for check in status.checks}
    assert orchestrator.call("GetServerInfo").instance_id


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
def test_both_versions_answer_every_kind_of_question(channel, version):
    # The messages of both are the same on the wire; only the names differ.
    info = channel.stream_stream(
        f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
        request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
        response_deserializer=reflection_pb2.ServerReflectionResponse.FromString)
    request = reflection_pb2.ServerReflectionRequest
    questions = [
        request(host="h", list_services=""),
        request(file_by_filename="wsm/v1/orchestrator.proto"),
        request(file_containing_symbol="virtufin.WebSocketManager.Connect"),
        request(file_containing_extension=reflection_pb2.ExtensionRequest(
            containing_type="google.protobuf.MethodOptions", extension_number=72295728)),
        request(all_extension_numbers_of_type="google.protobuf.MethodOptions"),
        request(file_containing_symbol="no.Such"),
        request(),
        request(file_by_filename="no.proto"),
    ]
    answers = list(info(iter(questions), timeout=10))
    assert len(answers) == len(questions)
    assert [a.original_request for a in answers] == questions
    assert answers[0].valid_host == "h"
    assert {s.name for s in answers[0].list_services_response.service} == SERVICES
    for answer in answers[1:4]:
        assert answer.file_descriptor_response.file_descriptor_proto
    assert list(answers[4].all_extension_numbers_response.extension_number) == [72295728]
    codes = [a.error_response.error_code for a in answers[5:]]
    assert codes == [5, 3, 5]


def test_every_service_is_resolved_with_all_its_types(channel):
    database = ProtoReflectionDescriptorDatabase(channel)
    assert set(database.get_services()) == SERVICES
    pool = descriptor_pool.DescriptorPool(database)
    for name in SERVICES:
        service = pool.FindServiceByName(name)
        for method in service.methods:
            message_factory.GetMessageClass(method.input_type)
            message_factory.GetMessageClass(method.output_type)


class Watch:
    """The answers of one Watch, as they come."""

    def __init__(self, channel, service):
        self.statuses = []
        self.error = None
        self.call = health_pb2_grpc.HealthStub(channel).Watch(
            health_pb2.HealthCheckRequest(service=service))
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        try:
            for answer in self.call:
                self.statuses.append(answer.status)
        except grpc.RpcError as error:
            self.error = error


@pytest.mark.parametrize("service", ["", *sorted(SERVICES)])
def test_health_is_told_for_the_server_and_each_service(channel, service):
    stub = health_pb2_grpc.HealthStub(channel)
    answer = stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=10)
    assert answer.status == SERVING


def test_a_service_that_is_not_there(channel):
    stub = health_pb2_grpc.HealthStub(channel)
    with pytest.raises(grpc.RpcError) as refused:
        stub.Check(health_pb2.HealthCheckRequest(service="no.Such"), timeout=10)
    assert refused.value.code() == grpc.StatusCode.NOT_FOUND
    watch = Watch(channel, "no.Such")
    eventually(lambda: watch.statuses, 10, "the first answer")
    assert watch.statuses == [SERVICE_UNKNOWN]
    watch.call.cancel()


def test_a_watch_sees_the_end_coming(new_server, new_peer):
    life, peer = new_server("--drain-timeout", "3s"), new_peer()
    channel = grpc.insecure_channel(life.process.address)
    watches = [Watch(channel, ""), Watch(channel, "wsm.v1.Orchestrator")]
    eventually(lambda: all(w.statuses for w in watches), 10, "the first answers")
    assert [w.statuses for w in watches] == [[SERVING], [SERVING]]
    # A peer that does not answer the close holds the orderly end up, so that it can be seen.
    life.client.connect(peer.url("/mute/slow"), False)
    for session in list(peer.sessions):
        session.go_mute()
    life.process.popen.terminate()
    eventually(
        lambda: all(w.statuses[-1] == NOT_SERVING for w in watches), 10, "the end in sight")
    assert life.process.popen.wait(10) == 0
    for watch in watches:
        watch.thread.join(5)
        assert watch.error is not None
        assert watch.error.code() == grpc.StatusCode.UNAVAILABLE, watch.error
    channel.close()
