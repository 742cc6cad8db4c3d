"""Through Dapr: our own processor time for a million messages; the sidecar is a stand-in."""

import time

from ..clients import ONE, Peer
from ..figures import Case, Column, at_most
from ..machine import cpu_seconds, settle
from ..programs import TOOLS, Program, Void, free_port
from ..server import DIAL_BUDGET, Server, connection_set
from ..source import Source

CPU = "cpu_s_per_million"
COLUMNS = [
    Column(CPU, "own CPU-s/million", ".1f"), Column("per_second", "messages/s", ",.0f"),
    Column("per_call", "messages/call", ",.1f"), Column("sidecar_cpu", "sidecar", ",.1f")]
CONNECTIONS, SIZE = 16, 512
# The publish block of each way, and how many messages a connection: those of one call are slow.
WAYS = {
    "wsm": ({}, 4_000),
    "wsm-array": ({"batch": "array"}, 40_000),
    "wsm-unordered": ({"order": "none"}, 40_000),
}
BRIDGE_MESSAGES = 8_000
PEERS = ["wsm", "wsm-array", "wsm-unordered", "go-bridge"]
GOALS = [
    at_most(CPU, "wsm", "go-bridge", 1, 0.5),
    at_most(CPU, "wsm-array", "go-bridge", 1 / 3, 1 / 20),
    at_most(CPU, "wsm-unordered", "go-bridge", 1 / 3, 1 / 20)]


class Sidecar(Program):
    def __init__(self):
        self.port, self.http_port = free_port(), free_port()
        super().__init__([TOOLS / "sidecar", self.port, self.http_port])
        self.expect("ready")


class Bridge:
    def __init__(self, sidecar, source):
        self.peer = Peer([TOOLS / "dapr_bridge", sidecar.port, "bench"], ONE)
        self.peer.start(source.port, CONNECTIONS)

    @property
    def pid(self):
        return self.peer.pid

    def counted(self):
        return self.peer.counted()["messages"]

    def kill(self):
        self.peer.kill()


class Through:
    """wsm with its state in a file and its messages to the stand-in."""

    def __init__(self, sidecar, source, publish):
        self.server = Server(options=[
            *DIAL_BUDGET, "--bus", "dapr", "--dapr-grpc-port", str(sidecar.port),
            "--dapr-http-port", str(sidecar.http_port)])
        self.server.apply(connection_set(
            source.port, CONNECTIONS, "bench", publish=publish) if publish
            else connection_set(source.port, CONNECTIONS, "bench"))

    @property
    def pid(self):
        return self.server.pid

    def counted(self):
        return int(self.server.total("wsm_messages_received_total"))

    def kill(self):
        self.server.kill()


def measure(name, share):
    publish, messages = WAYS.get(name, (None, BRIDGE_MESSAGES))
    messages = int(messages * share)
    with Sidecar() as sidecar, Source(CONNECTIONS, SIZE, messages) as source:
        client = (Bridge(sidecar, source) if publish is None
                  else Through(sidecar, source, publish))
        try:
            source.connected()
            before, sidecar_before = settle(client.pid), cpu_seconds(sidecar.pid)
            start = source.begin()
            source.sent()
            cpu = settle(client.pid, quiet=0.6, until=120) - before
            seconds = time.monotonic() - 0.6 - start
            sidecar_cpu = cpu_seconds(sidecar.pid) - sidecar_before
            counted = client.counted()
            # The server says at its end what is still to be said; the stand-in outlives it.
            client.kill()
            taken = sidecar.finish()
        finally:
            client.kill()
    if counted != source.total or taken["messages"] < source.total:
        raise Void(f"{name}: {source.total} sent, {counted} counted, {taken} taken")
    return {
        CPU: cpu / source.total * 1e6, "per_second": source.total / seconds,
        "per_call": source.total / taken["calls"],
        "sidecar_cpu": sidecar_cpu / source.total * 1e6}


def run(options):
    case = Case("through Dapr, 512 B", COLUMNS, GOALS, f"{CONNECTIONS} feeds")
    share = 0.5 if options.short else 1
    return [case.run(
        options.peers or PEERS, options.rounds, lambda peer: measure(peer, share))]
