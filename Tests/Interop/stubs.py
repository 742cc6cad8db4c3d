"""Compiles the Python stubs from the committed protos, once per run."""

import atexit
import pathlib
import shutil
import sys
import tempfile

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]


def _compile():
    import grpc_tools
    from grpc_tools import protoc

    protos = REPOSITORY / "Protos"
    # The sidecar's own package brings its stubs; ours are a part of them.
    files = sorted(str(path.relative_to(protos)) for path in protos.rglob("*.proto")
                   if path.relative_to(protos).parts[0] != "dapr")
    directory = tempfile.mkdtemp(prefix="wsm-stubs-")
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    well_known = pathlib.Path(grpc_tools.__file__).parent / "_proto"
    options = [f"-I{protos}", f"-I{well_known}"]
    options += [f"--python_out={directory}", f"--grpc_python_out={directory}"]
    code = protoc.main(["protoc", *options, *files])
    if code != 0:
        raise RuntimeError(f"protoc ended with {code} for {files}")
    sys.path.insert(0, directory)


_compile()

from google.api import annotations_pb2 as annotations  # noqa: E402
from virtufin import websocketmanager_pb2 as ws  # noqa: E402
from virtufin import websocketmanager_pb2_grpc as ws_grpc  # noqa: E402
from wsm.v1 import orchestrator_pb2 as v1  # noqa: E402
from wsm.v1 import orchestrator_pb2_grpc as v1_grpc  # noqa: E402

__all__ = ["REPOSITORY", "annotations", "v1", "v1_grpc", "ws", "ws_grpc"]
