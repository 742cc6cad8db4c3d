"""A sidecar for a test: a stand-in, or the real one that DAPR_TEST_GRPC_PORT names."""

import os
import subprocess

import pytest

from processes import binary
from standin import RedisServer, Sidecar

REAL = os.environ.get("DAPR_TEST_GRPC_PORT")
STORES = ["real"] if REAL else ["state.redis", "state.postgresql", "state.sqlite"]


class RealSidecar:
    """A daprd that somebody else started; it has no switches."""

    def __init__(self):
        self.grpc_port = int(REAL)
        self.http_port = int(os.environ.get("DAPR_TEST_HTTP_PORT", "3500"))

    @property
    def server_arguments(self):
        return ["--dapr-grpc-port", self.grpc_port, "--dapr-http-port", self.http_port]

    def kill(self):
        pass


def needs_switches(reason="it needs the switches of the stand-in"):
    """Marks a test that a real sidecar cannot run; pytest counts it."""
    return pytest.mark.skipif(bool(REAL), reason=reason)


@pytest.fixture(scope="session")
def redis(tmp_path_factory):
    if REAL:
        yield None
        return
    server = RedisServer(tmp_path_factory.mktemp("redis") / "redis.log")
    yield server
    server.kill()


@pytest.fixture
def new_sidecar(redis, tmp_path):
    """Makes sidecars of a test's own; they share one Redis, and one file of tables."""
    sidecars = []

    def make(state="state.redis", *arguments, **options):
        if REAL:
            return RealSidecar()
        own = ["--state", state, "--redis", (options.get("redis") or redis).address,
               "--app-id", options.get("app_id") or f"wsm-{tmp_path.name}",
               "--database", tmp_path / "tables.db", *arguments]
        sidecars.append(Sidecar(tmp_path / f"sidecar{len(sidecars)}.log", *own))
        return sidecars[-1]

    yield make
    for sidecar in sidecars:
        sidecar.kill()


def probe(what, sidecar, component="statestore", timeout=100):
    """Runs a suite of the ports; returns `(passed, output)`."""
    done = subprocess.run(
        [binary("wsm-dapr-probe"), what, str(sidecar.grpc_port), component],
        capture_output=True, text=True, timeout=timeout)
    return done.returncode == 0, done.stdout + done.stderr[-2000:]
