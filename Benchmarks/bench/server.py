"""wsm itself: the real server with a ConnectionSet."""

import json
import os
import pathlib
import re
import subprocess
import tempfile
import time
import urllib.request

from .programs import ROOT, Void

# Above every case's number of dials: what is measured is the client, not its politeness.
DIAL_BUDGET = ["--dial-rate", "1000000", "--dial-burst", "1000000"]


def binaries():
    return pathlib.Path(os.environ.get("WSM_BIN") or ROOT / ".build" / "release")


class Server:
    """`wsm-server` on free ports and an empty data directory."""

    def __init__(self, loops=1, options=DIAL_BUDGET, environment=None):
        self._directory = tempfile.TemporaryDirectory()
        self._log = pathlib.Path(self._directory.name) / "log"
        with open(self._log, "wb") as output:
            self.process = subprocess.Popen(
                [binaries() / "wsm-server", "--grpc-port", "0", "--http-port", "0",
                 "--data-dir", f"{self._directory.name}/data", *options],
                stdout=output, stderr=output,
                env={**os.environ, "NIO_SINGLETON_GROUP_LOOP_COUNT": str(loops),
                     **(environment or {})})
        line = self._await(r"grpc=\S+:(\d+).*ready")
        self.port = int(line.group(1))
        self.http_port = int(re.search(r"http=\S+:(\d+)", line.group(0)).group(1))

    @property
    def pid(self):
        return self.process.pid

    def _await(self, pattern, limit=60):
        end = time.monotonic() + limit
        while time.monotonic() < end:
            text = self._log.read_text(errors="replace")
            found = re.search(pattern, text)
            if found:
                return found
            if self.process.poll() is not None:
                raise Void(f"wsm-server ended: {text[-2000:]}")
            time.sleep(0.02)
        raise Void(f"wsm-server is not ready after {limit} s")

    def call(self, *arguments, check=True, **options):
        """Runs wsm-apply against this server."""
        done = subprocess.run(
            [binaries() / "wsm-apply", *arguments], text=True, capture_output=True,
            env={**os.environ, "WSM_SERVER": f"127.0.0.1:{self.port}"}, **options)
        if check and done.returncode != 0:
            raise Void(f"wsm-apply {arguments[0]}: {done.stderr[-2000:]}")
        return done.stdout

    def apply(self, manifest):
        """Answers when the records are committed; sockets come after."""
        self.call("-f", "-", input=json.dumps(manifest))

    def metrics(self):
        """Series of /metrics, by name and labels as they stand there, to their values."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.http_port}/metrics") as answer:
            lines = answer.read().decode().splitlines()
        return {name: float(value) for name, value in
                (line.rsplit(" ", 1) for line in lines if line and not line.startswith("#"))}

    def total(self, metric, **labels):
        """The sum over a metric's series that have these labels."""
        wanted = [f'{key}="{value}"' for key, value in labels.items()]
        return sum(
            value for series, value in self.metrics().items()
            if series.split("{")[0] == metric and all(label in series for label in wanted))

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._directory.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()


def connection_set(port, count, topic=None, scheme="ws", keepalive=False, **spec):
    """A manifest of so many connections to the source."""
    body = {"url": f"{scheme}://127.0.0.1:{port}/{{{{n}}}}", **spec}
    if topic:
        body["topic"] = topic
    if not keepalive:
        body["keepalive"] = {"pingInterval": "0s"}
    return {
        "apiVersion": "wsm.virtufin.com/v1", "kind": "ConnectionSet",
        "metadata": {"name": "bench"}, "spec": {
            "matrix": {"n": list(range(count))}, "name": "bench-{{n}}",
            "template": {"spec": body}}}
