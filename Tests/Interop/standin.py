"""Redis and stand-in sidecars as processes, and the handle by which tests turn their faults on."""

import json
import pathlib
import shutil
import sys
import urllib.parse
import urllib.request

from processes import Broker, Process, free_port
from waiting import eventually

HERE = pathlib.Path(__file__).resolve().parent


class RedisServer(Broker):
    """`redis-server` on a port of its own; nothing of it is on a disk unless a directory is given."""

    def __init__(self, log, port=None, directory=None):
        port = port or free_port()
        program = shutil.which("redis-server") or "/usr/bin/redis-server"
        arguments = [program, "--port", port, "--bind", "127.0.0.1"]
        arguments += ["--dir", directory or "/tmp"]
        arguments += ["--appendonly", "yes", "--appendfsync", "no"] if directory else [
            "--save", "", "--appendonly", "no"]
        super().__init__(arguments, log, port)

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def restart(self):
        self.kill()
        Broker.__init__(self, self.arguments, self.log_path, self.port)
        return self


class Sidecar(Process):
    """One stand-in sidecar."""

    def __init__(self, log, *arguments):
        self.options = [str(argument) for argument in arguments]
        self.base, self.starts, self.ports = log, 0, {}
        self._begin()

    def _begin(self):
        self.starts += 1
        ports = [f"--{name}-port={port}" for name, port in self.ports.items()]
        super().__init__(
            [sys.executable, "-m", "sidecar", *self.options, *ports],
            f"{self.base}.{self.starts}", env={"PYTHONPATH": str(HERE)})
        match = self.wait_for(r"sidecar grpc=(\d+) http=(\d+) control=(\d+) ready")
        self.ports = dict(zip(("grpc", "http", "control"), map(int, match.groups())))

    def restart(self):
        """Kills it hard and starts it again on the same ports; what it accepted is forgotten."""
        self.kill()
        self._begin()

    @property
    def grpc_port(self):
        return self.ports["grpc"]

    @property
    def http_port(self):
        return self.ports["http"]

    @property
    def server_arguments(self):
        """Flags that make a `wsm-server` use it."""
        return ["--dapr-grpc-port", self.grpc_port, "--dapr-http-port", self.http_port]

    def _ask(self, method, path, body=None, timeout=30):
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.ports['control']}{path}", method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def faults(self, *rules):
        """Replaces the rules; none of them is no fault."""
        self._ask("PUT", "/faults", list(rules))

    def switch(self, **switches):
        self._ask("PUT", "/switches", switches)

    def goaway(self, **how):
        self._ask("POST", "/goaway", how)

    @property
    def calls(self):
        return self._ask("GET", "/calls")

    def accepted(self, topic=None, start=0):
        """Every event the broker took, in order."""
        return [item["event"] for item in self.accepted_since(start, topic)[0]]

    def accepted_since(self, position, topic=None):
        """Events with the time they were taken, and the position to go on from."""
        items = []
        while True:
            query = {"from": position} | ({"topic": topic} if topic else {})
            answer = self._ask("GET", "/accepted?" + urllib.parse.urlencode(query))
            items += answer["events"]
            if answer["next"] == position:
                return items, position
            position = answer["next"]

    def wait_accepted(self, count, topic=None, timeout=30.0):
        """At least so many events."""
        eventually(lambda: len(self.accepted(topic)) >= count, timeout,
                   lambda: f"{len(self.accepted(topic))} of {count} events", 0.05)
        return self.accepted(topic)
