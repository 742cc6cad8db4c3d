"""The load source, and TLS in front of it."""

import pathlib
import subprocess
import tempfile

from .programs import TOOLS, Program, free_port


class Source(Program):
    """wssrc: waits for its clients, then for the word to begin."""

    def __init__(self, connections, size=512, messages=1, rate=0, burst=1):
        self.port = free_port()
        self.total = connections * messages
        super().__init__(
            [TOOLS / "wssrc", self.port, connections, size, messages, rate, burst],
            stdin=subprocess.PIPE)
        self.expect("ready")

    def connected(self):
        """When the first was accepted and the last had its answer, in monotonic seconds."""
        _, first, last = self.expect("connected")
        return float(first), float(last)

    def begin(self):
        """The word. Returns when it was followed."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return float(self.expect("start")[1])

    def sent(self):
        """Returns when the clients' kernels had taken all."""
        return float(self.expect("done")[1])


class TLSFront(Program):
    """tlsfront: what connects to `port` speaks TLS and reaches the source."""

    def __init__(self, source):
        self.port = free_port()
        self._directory = tempfile.TemporaryDirectory()
        self.certificate = pathlib.Path(self._directory.name) / "source.pem"
        super().__init__([TOOLS / "tlsfront", self.port, source.port, self.certificate])
        self.expect("ready")

    def kill(self):
        super().kill()
        self._directory.cleanup()
