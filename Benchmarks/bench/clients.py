"""The clients that are measured: wsm and its peers, behind one face.

A client is started against a source and opens its connections; it is asked at the end how many
messages it counted.
"""

from .programs import ROOT, TOOLS, Program, Void
from .server import DIAL_BUDGET, Server, connection_set

PYTHON = TOOLS / "venv/bin/python"
SCRIPTS = ROOT / "Benchmarks/peers"
NODE_PATH = {"NODE_PATH": str(TOOLS / "node/usr/share/nodejs")}
ONE = {"GOMAXPROCS": "1"}


class Peer:
    """A client of somebody else's: `command PORT CONNECTIONS [tail]`."""

    def __init__(self, command, environment=None, ca_flag=None, tail=()):
        self.command, self.environment, self.ca_flag = command, environment, ca_flag
        self.tail = tail

    def start(self, port, connections, certificate=None):
        command = list(self.command)
        if certificate and self.ca_flag:
            command += [self.ca_flag, certificate]
        command += [port, connections, *self.tail]
        if certificate and not self.ca_flag:
            command.append(certificate)
        self.program = Program(command, self.environment)

    @property
    def pid(self):
        return self.program.pid

    def counted(self):
        return self.program.finish()

    def kill(self):
        self.program.kill()


class WSM:
    """The server itself: a ConnectionSet, into one topic that nobody reads unless told otherwise."""

    def __init__(self, loops=1, topic="bench", keepalive=False, options=DIAL_BUDGET):
        self.loops, self.topic, self.keepalive = loops, topic, keepalive
        self.options = options

    def launch(self, *options):
        """Starts the server without connections."""
        self.server = Server(self.loops, [*self.options, *options])

    def start(self, port, connections, certificate=None):
        if not hasattr(self, "server"):
            self.launch(*(["--secrets-dir", certificate.parent] if certificate else []))
        spec = {}
        if certificate:
            # As its peers do: a file named once, not a copy in every manifest.
            spec["tls"] = {"ca": {"valueFrom": {"file": certificate.name}}}
        self.server.apply(connection_set(
            port, connections, self.topic, "wss" if certificate else "ws", self.keepalive, **spec))

    @property
    def pid(self):
        return self.server.pid

    def counted(self):
        """By /metrics; what came and is not with the bus voids the run."""
        received = self.server.total("wsm_messages_received_total")
        published = self.server.total("wsm_publish_total", result="accepted")
        dropped = self.server.total("wsm_dropped_total")
        if self.topic and (published != received or dropped):
            raise Void(f"{received} received, {published} published, {dropped} dropped")
        return {"messages": int(received)}

    def kill(self):
        if hasattr(self, "server"):
            self.server.kill()


CLIENTS = {
    "wsm": WSM,
    "wsm-2-loops": lambda: WSM(loops=2),
    "floor": lambda: Peer([TOOLS / "floor"]),
    "gorilla": lambda: Peer([TOOLS / "gorilla"], ONE, "-ca"),
    "ws": lambda: Peer(["node", SCRIPTS / "ws_client.js"], NODE_PATH),
    "picows": lambda: Peer([PYTHON, SCRIPTS / "picows_client.py"]),
    "websockets": lambda: Peer([PYTHON, SCRIPTS / "websockets_client.py"]),
}
