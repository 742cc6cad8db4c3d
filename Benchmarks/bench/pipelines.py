"""From the feeds to one subscriber process: wsm over gRPC, and a bridge through Redis.

The subscriber is the same program on both sides; what differs is what it reads from.
"""

import shutil
import socket
import time

from .clients import ONE, WSM, Peer
from .machine import cpu_seconds, settle
from .programs import TOOLS, Program, Void, free_port

TOPIC = "bench"


class Pipeline:
    """Processes by name, in the order they are ended."""

    def __init__(self):
        self.parts = {}

    def subscribe(self, kind, port, expected):
        subscriber = Program(
            [TOOLS / "subscriber", "-latencies", expected, kind, port, TOPIC, expected], ONE)
        self.parts["subscriber"] = subscriber
        subscriber.expect("subscribed")
        # Told to the server, not yet answered by it.
        time.sleep(0.3)

    def cpu(self):
        return {name: cpu_seconds(part.pid) for name, part in self.parts.items()}

    def settle(self):
        """The same once nothing moves any more."""
        return {name: settle(part.pid) for name, part in self.parts.items()}

    def reached(self):
        """Returns when the subscriber got or missed as many as it expected."""
        self.parts["subscriber"].expect("reached")

    def counted(self):
        return self.parts["subscriber"].finish()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for part in self.parts.values():
            part.kill()


class ThroughWSM(Pipeline):
    """source → wsm → gRPC Subscribe."""

    def __init__(self, source, connections, expected, loops=1):
        super().__init__()
        self.parts["server"] = server = WSM(loops, TOPIC)
        try:
            server.launch()
            self.subscribe("grpc", server.server.port, expected)
            server.start(source.port, connections)
            source.connected()
        except BaseException:
            self.__exit__()
            raise


class ThroughRedis(Pipeline):
    """source → gorilla → Redis PUBLISH → SUBSCRIBE."""

    def __init__(self, source, connections, expected):
        super().__init__()
        try:
            port = self._redis()
            self.subscribe("redis", port, expected)
            self.parts["bridge"] = bridge = Peer([TOOLS / "bridge", port, TOPIC], ONE)
            bridge.start(source.port, connections)
            source.connected()
        except BaseException:
            self.__exit__()
            raise

    def _redis(self):
        program = shutil.which("redis-server")
        if not program:
            raise Void("redis-server is not installed (Benchmarks/setup.sh)")
        port = free_port()
        # No bound on what waits for a subscriber: Redis would cut a slow one off.
        self.parts["redis"] = Program(
            [program, "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
             "--logfile", "/dev/null", "--client-output-buffer-limit", "pubsub 0 0 0"])
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return port
            except OSError:
                time.sleep(0.02)
        raise Void("redis-server does not listen")


PIPELINES = {
    "wsm": ThroughWSM,
    "wsm-2-loops": lambda *arguments: ThroughWSM(*arguments, loops=2),
    "gorilla-redis": ThroughRedis,
}
