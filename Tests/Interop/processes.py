"""The real programs, started on free loopback ports and never left behind."""

import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import time

from stubs import REPOSITORY
from waiting import eventually

BINARIES = pathlib.Path(os.environ.get("WSM_BIN") or REPOSITORY / ".build" / "debug")
# A child goes with us even if we are killed. (A `preexec_fn` would fork with gRPC's threads in it.)
_LEASH = [shutil.which("setpriv"), "--pdeathsig", "KILL"] if shutil.which("setpriv") else []


def binary(name):
    path = BINARIES / name
    if not path.exists():
        raise AssertionError(f"{path} is not built (set WSM_BIN)")
    return str(path)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Process:
    """A program with its output in a file; its whole process group ends with it."""

    def __init__(self, arguments, log, env=None):
        self.arguments = [str(argument) for argument in arguments]
        self.log_path = pathlib.Path(log)
        with open(self.log_path, "ab") as output:
            self.popen = subprocess.Popen(
                _LEASH + self.arguments,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env={**os.environ, **(env or {})},
                start_new_session=True,
            )

    @property
    def pid(self):
        return self.popen.pid

    @property
    def is_alive(self):
        return self.popen.poll() is None

    @property
    def log(self):
        return self.log_path.read_text(errors="replace")

    def wait_for(self, pattern, timeout=20.0):
        """The match of `pattern` in the output, once it is there."""

        def look():
            match = re.search(pattern, self.log)
            if not match and not self.is_alive:
                raise AssertionError(
                    f"{self.arguments[0]} ended with {self.popen.returncode}:\n{self.log[-4000:]}"
                )
            return match

        return eventually(look, timeout, f"{pattern} in the output of {self.arguments[0]}", 0.02)

    def terminate(self, timeout=20.0):
        """SIGTERM. Returns the exit code and the seconds it took."""
        start = time.monotonic()
        self.popen.terminate()
        try:
            code = self.popen.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(
                f"{self.arguments[0]} still runs {timeout} s after SIGTERM:\n{self.log[-2000:]}"
            ) from None
        return code, time.monotonic() - start

    def kill(self):
        """SIGKILL for the group, and the end of it."""
        try:
            os.killpg(self.popen.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.popen.wait()


class Server(Process):
    """`wsm-server` on a data directory."""

    def __init__(self, data_dir, *arguments, env=None, log=None):
        self.data_dir = pathlib.Path(data_dir)
        log = log or self.data_dir.with_name(self.data_dir.name + f"-{time.monotonic_ns()}.log")
        super().__init__(
            [binary("wsm-server"), "--grpc-port", 0, "--http-port", 0, "--data-dir", data_dir,
             *arguments], log, env
        )
        self.port = None
        self.http_port = None

    def ready(self, timeout=30.0):
        match = self.wait_for(r"grpc=(?:127\.0\.0\.1|0\.0\.0\.0):(\d+).*ready", timeout)
        self.port = int(match.group(1))
        line = match.group(0)
        self.http_port = int(re.search(r"http=(?:127\.0\.0\.1|0\.0\.0\.0):(\d+)", line).group(1))
        return self

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"


class Feed(Process):
    """`wsm-feed`."""

    def __init__(self, log):
        super().__init__([binary("wsm-feed"), "--port", 0], log)
        self.port = int(self.wait_for(r"listens on ws://127\.0\.0\.1:(\d+)").group(1))

    def url(self, target):
        return f"ws://127.0.0.1:{self.port}{target}"


class Broker(Process):
    """A server of somebody else's, that must listen again on the same port after a restart."""

    def __init__(self, arguments, log, port):
        super().__init__(arguments, log)
        self.port = port
        eventually(self._listens, 15, lambda: f"{arguments[0]} on {port}: {self.log[-1000:]}")

    def _listens(self):
        assert self.is_alive, f"ended with {self.popen.returncode}: {self.log[-2000:]}"
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    def restart(self):
        """Kills it hard and starts it again."""
        self.kill()
        return type(self)(self.arguments, self.log_path, self.port)
