"""Programs that are started, watched and never left behind."""

import json
import os
import pathlib
import signal
import socket
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
TOOLS = ROOT / ".build-bench"


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Void(RuntimeError):
    """A run that may not be counted, and why."""


class Program:
    """A program that tells of itself line by line."""

    def __init__(self, command, environment=None, **options):
        self.name = pathlib.Path(str(command[0])).name
        self.process = subprocess.Popen(
            [str(word) for word in command], stdout=subprocess.PIPE, text=True,
            env={**os.environ, **(environment or {})}, **options)

    @property
    def pid(self):
        return self.process.pid

    def expect(self, word):
        """The next line's words; the first must be this one."""
        line = self.process.stdout.readline()
        if not line.startswith(word):
            raise Void(f"{self.name} said {line!r} instead of {word}")
        return line.split()

    def finish(self):
        """Tells it to end. Returns the JSON that it prints then."""
        self.process.send_signal(signal.SIGTERM)
        output, _ = self.process.communicate(timeout=60)
        return json.loads(output.splitlines()[-1])

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()
