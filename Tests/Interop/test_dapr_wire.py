"""Our part of Dapr's API against the descriptors of the official package."""

import pathlib

import grpc_tools
import yaml
from dapr.proto.runtime.v1 import dapr_pb2  # noqa: F401  (registers every message)
from google.protobuf import descriptor_pb2, descriptor_pool
from grpc_tools import protoc

from stubs import REPOSITORY

FILES = ["dapr/proto/common/v1/common.proto", "dapr/proto/runtime/v1/dapr.proto"]


def ours(tmp_path):
    out = tmp_path / "ours.bin"
    well_known = pathlib.Path(grpc_tools.__file__).parent / "_proto"
    code = protoc.main([
        "protoc", f"-I{REPOSITORY / 'Protos'}", f"-I{well_known}", f"--descriptor_set_out={out}",
        "--include_imports", *FILES])
    assert code == 0
    found = descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes())
    pool = descriptor_pool.DescriptorPool()
    for file in found.file:
        pool.Add(file)
    return pool, [file for file in found.file if file.name in FILES]


def shape(field):
    kind = field.message_type or field.enum_type
    return field.name, field.type, field.is_repeated, kind.full_name if kind else None


def messages(file, pool):
    for message in file.message_type:
        yield pool.FindMessageTypeByName(f"{file.package}.{message.name}")


def test_every_field_is_the_wires(tmp_path):
    pool, files = ours(tmp_path)
    official = descriptor_pool.Default()
    checked = 0
    for file in files:
        for message in messages(file, pool):
            theirs = official.FindMessageTypeByName(message.full_name)
            for field in message.fields:
                assert shape(field) == shape(theirs.fields_by_number[field.number]), field.full_name
                checked += 1
            for enum in message.enum_types:
                for value in enum.values:
                    other = theirs.enum_types_by_name[enum.name].values_by_name[value.name]
                    assert value.number == other.number
    assert checked >= 60


def test_every_call_is_the_wires(tmp_path):
    pool, _ = ours(tmp_path)
    service = pool.FindServiceByName("dapr.proto.runtime.v1.Dapr")
    theirs = descriptor_pool.Default().FindServiceByName(service.full_name)
    assert len(service.methods) == 9
    for method in service.methods:
        other = theirs.methods_by_name[method.name]
        assert method.input_type.full_name == other.input_type.full_name
        assert method.output_type.full_name == other.output_type.full_name
        assert not other.client_streaming and not other.server_streaming


def test_the_component_files_are_whole():
    folders = sorted((REPOSITORY / "deploy" / "dapr").iterdir())
    assert len(folders) >= 3
    for folder in folders:
        found = {}
        for path in folder.glob("*.yaml"):
            component = yaml.safe_load(path.read_text())
            assert component["apiVersion"] == "dapr.io/v1alpha1", path
            assert component["kind"] == "Component", path
            assert component["metadata"]["name"] == path.stem, path
            names = [entry["name"] for entry in component["spec"].get("metadata", [])]
            assert len(set(names)) == len(names), path
            found[path.stem] = component["spec"]
        assert set(found) == {"statestore", "pubsub"}, folder
        state = {entry["name"]: entry["value"] for entry in found["statestore"]["metadata"]}
        assert state["keyPrefix"] == "name", folder
        if found["statestore"]["type"] == "state.redis":
            assert state["redisMaxRetries"] == "-1"
        if found["statestore"]["type"] == "state.postgresql":
            assert found["statestore"]["version"] == "v2"
