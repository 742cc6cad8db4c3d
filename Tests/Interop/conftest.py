"""Fixtures: one server, one peer and one feed a module; everything on loopback."""

import contextlib
import itertools
import re

import grpc
import pytest

from client import Client
from dapr_fixtures import new_sidecar, redis  # noqa: F401
from peer import Peer
from processes import Feed, Server

_servers = []
_counter = itertools.count(1)


class ServerLife:
    """A server that can be killed and started again on the same data directory."""

    def __init__(self, data_dir, *arguments, env=None):
        self.data_dir = data_dir
        self.arguments = arguments
        self.env = env
        self.process = None
        self.client = None
        self.start()

    def start(self, *arguments):
        self.process = Server(self.data_dir, *(arguments or self.arguments), env=self.env)
        _servers.append(self.process)
        self.process.ready()
        self.client = Client(self.process.address)
        grpc.channel_ready_future(self.client.channel).result(10)
        return self.client

    def kill(self):
        if self.client:
            self.client.close()
            self.client = None
        self.process.kill()

    def restart(self, *arguments):
        self.kill()
        return self.start(*arguments)


@pytest.fixture(scope="module")
def module_server(tmp_path_factory):
    life = ServerLife(tmp_path_factory.mktemp("server") / "data", "--log-level", "info")
    yield life
    life.kill()


@pytest.fixture
def server(module_server):
    """The module's server; it must outlive every test."""
    if not module_server.process.is_alive:
        module_server.restart()
    yield module_server
    process = module_server.process
    assert process.is_alive, f"the server died with {process.popen.returncode}"


@pytest.fixture
def client(server):
    return server.client


@pytest.fixture
def new_server(tmp_path):
    """Makes servers of a test's own."""
    lives = []

    def make(*arguments, data_dir=None, env=None):
        life = ServerLife(
            data_dir or tmp_path / f"data{len(lives)}", "--log-level", "info", *arguments, env=env)
        lives.append(life)
        return life

    yield make
    for life in lives:
        life.kill()


@pytest.fixture(scope="module")
def peer():
    peer = Peer()
    yield peer
    peer.stop()


@pytest.fixture
def new_peer():
    peers = []

    def make(**options):
        peers.append(Peer(**options))
        return peers[-1]

    yield make
    for peer in peers:
        peer.stop()


@pytest.fixture(scope="module")
def feed(tmp_path_factory):
    feed = Feed(tmp_path_factory.mktemp("feed") / "feed.log")
    yield feed
    feed.kill()


@pytest.fixture
def name(request):
    """Makes names that no other test uses."""
    base = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower()).strip("-")[:60].strip("-")
    return lambda suffix="x": f"{base}-{suffix}{next(_counter)}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.failed:
        lives = [value for value in getattr(item, "funcargs", {}).values()
                 if isinstance(value, ServerLife)]
        for process in [life.process for life in lives] or _servers[-1:]:
            with contextlib.suppress(OSError):
                report.sections.append(("wsm-server log, newest lines", process.log[-1500:]))
    return report
