"""A WebSocket server that does what a test asks for, and remembers what it saw.

The first part of a path chooses the behaviour (`/echo/alpha`, `/status/x?code=503`), unless
`Peer.override` says otherwise for that very path. The protocol is that of the `websockets` package
without its I/O, so that a test can hold back, cut or join bytes at will.
"""

import asyncio
import dataclasses
import socket
import threading
import time
import urllib.parse

from websockets.frames import CloseCode, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol

from waiting import eventually


@dataclasses.dataclass
class Message:
    is_text: bool
    data: bytes
    at: float


class Session(asyncio.Protocol):
    """One TCP connection. Times are `time.monotonic()`."""

    def __init__(self, peer):
        self.peer = peer
        self.protocol = ServerProtocol(
            max_size=64 << 20,
            select_subprotocol=lambda _, offered: offered[0] if offered else None)
        self.transport = None
        self.target = None
        self.path = None
        self.kind = None
        self.query = {}
        self.headers = {}
        self.accepted_at = time.monotonic()
        self.opened_at = None
        self.closed_at = None
        self.messages = []
        self.pings = 0
        self.pongs = 0
        self.close_code = None
        self.close_reason = None
        self.is_mute = False
        self.errors = []
        self._parts = []
        self._parts_are_text = True

    @property
    def is_open(self):
        return self.opened_at is not None and self.closed_at is None

    # Events of the transport.

    def connection_made(self, transport):
        self.transport = transport
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.peer._add(self)
        if self.peer.refuses:
            transport.abort()

    def data_received(self, data):
        if self.is_mute:
            return
        self.protocol.receive_data(data)
        for event in self.protocol.events_received():
            if isinstance(event, Request):
                self._requested(event)
            else:
                self._received(event)
        if self.protocol.parser_exc is not None:
            self.errors.append(repr(self.protocol.parser_exc))
        self.flush()

    def eof_received(self):
        self.protocol.receive_eof()
        self.flush()
        return False

    def connection_lost(self, _):
        self.closed_at = time.monotonic()
        self.peer._removed(self)

    def flush(self):
        if self.is_mute or self.transport.is_closing():
            return
        for data in self.protocol.data_to_send():
            if data:
                self.transport.write(data)
            else:
                self.transport.close()
        if self.protocol.close_expected() and self.protocol.state is State.CLOSED:
            self.transport.close()

    # Events of the protocol.

    def _requested(self, request):
        self.target = request.path
        parts = urllib.parse.urlsplit(request.path)
        self.path = parts.path
        self.query = dict(urllib.parse.parse_qsl(parts.query))
        self.headers = {name.lower(): value for name, value in request.headers.raw_items()}
        self.peer.requests.append(self)
        kind = self.peer.overrides.get(self.path) or self.path.split("/")[1]
        if isinstance(kind, tuple):
            kind, self.query = kind[0], {**self.query, **kind[1]}
        self.kind = kind
        if kind == "hang":
            self.is_mute = True
        elif kind == "cut":
            self.transport.abort()
        elif kind == "status":
            response = self.protocol.reject(int(self.query.get("code", "503")), "no\n")
            if "location" in self.query:
                response.headers["Location"] = self.query["location"]
            if "retry" in self.query:
                response.headers["Retry-After"] = self.query["retry"]
            self.protocol.send_response(response)
        elif kind == "liar":
            response = self.protocol.accept(request)
            del response.headers["Sec-WebSocket-Accept"]
            response.headers["Sec-WebSocket-Accept"] = "bm8gaGFuZHNoYWtlIGhlcmU="
            self.protocol.send_response(response)
        elif kind == "slow":
            delay = int(self.query.get("ms", "1000")) / 1000
            self.peer.loop.call_later(delay, self._slowly, request)
        else:
            self._accept(request)

    def _slowly(self, request):
        if self.closed_at is None:
            self._accept(request)
            self.flush()

    def _accept(self, request):
        self.protocol.send_response(self.protocol.accept(request))
        self.opened_at = time.monotonic()
        self.peer._opened(self)
        if self.kind == "first":
            # Joined with the 101 into one write.
            for index in range(int(self.query.get("count", "1"))):
                self.protocol.send_text(f"first {index + 1}".encode())
            joined = b"".join(self.protocol.data_to_send())
            self.transport.write(joined)
        elif self.kind == "drop":
            self.flush()
            self.transport.close()
        elif self.kind == "close":
            self.flush()
            self.protocol.send_close(
                int(self.query.get("code", "1000")), self.query.get("reason", ""))
        elif self.kind == "silent":
            self.flush()
            self.is_mute = True

    def _received(self, frame):
        if frame.opcode is Opcode.PING:
            self.pings += 1
        elif frame.opcode is Opcode.PONG:
            self.pongs += 1
        elif frame.opcode is Opcode.CLOSE:
            self.close_code = int.from_bytes(frame.data[:2], "big") if frame.data else 1005
            self.close_reason = bytes(frame.data[2:]).decode()
        else:
            if frame.opcode is not Opcode.CONT:
                self._parts, self._parts_are_text = [], frame.opcode is Opcode.TEXT
            self._parts.append(bytes(frame.data))
            if frame.fin:
                message = Message(
                    self._parts_are_text, b"".join(self._parts), time.monotonic())
                self.messages.append(message)
                if self.kind == "echo":
                    self._send(message.data, message.is_text)

    def _send(self, data, is_text):
        if self.protocol.state is State.OPEN:
            (self.protocol.send_text if is_text else self.protocol.send_binary)(data)

    # What a test asks for, from its own thread.

    def send(self, *messages):
        """str goes out as text, bytes as binary; all in order."""

        def act():
            for message in messages:
                is_text = isinstance(message, str)
                self._send(message.encode() if is_text else message, is_text)
            self.flush()

        self.peer.run(act)

    def close(self, code=CloseCode.NORMAL_CLOSURE, reason=""):
        def act():
            if self.protocol.state is State.OPEN:
                self.protocol.send_close(code, reason)
                self.flush()

        self.peer.run(act)

    def drop(self):
        """Ends TCP without a close frame."""
        self.peer.run(self.transport.abort)

    def go_mute(self):
        """Reads and answers nothing from now on."""

        def act():
            self.is_mute = True

        self.peer.run(act)


class Peer:
    def __init__(self, ssl=None):
        self.loop = asyncio.new_event_loop()
        self.sessions = []
        self.requests = []
        self.overrides = {}
        self.refuses = False
        self.max_open = {}
        self._open = {}
        self._ssl = ssl
        self._server = None
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()
        self.port = 0
        self.listen()

    def run(self, function):
        """Runs `function` on the loop and waits for its result."""

        async def call():
            return function()

        return asyncio.run_coroutine_threadsafe(call(), self.loop).result(10)

    def listen(self):
        async def start():
            self._server = await self.loop.create_server(
                lambda: Session(self), "127.0.0.1", self.port, backlog=4096, ssl=self._ssl)
            return self._server.sockets[0].getsockname()[1]

        self.port = asyncio.run_coroutine_threadsafe(start(), self.loop).result(10)

    def stop_listening(self):
        """New dials are refused; open sessions stay."""
        self.run(self._server.close)

    def stop(self):
        def end():
            self._server.close()
            for session in self.sessions:
                if session.closed_at is None:
                    session.transport.abort()

        self.run(end)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(5)

    def url(self, target):
        return f"{'wss' if self._ssl else 'ws'}://127.0.0.1:{self.port}{target}"

    def override(self, path, kind, **query):
        """From the next request on `path` behaves as `kind`; None undoes it."""
        if kind is None:
            self.overrides.pop(path, None)
        else:
            self.overrides[path] = (kind, {key: str(value) for key, value in query.items()})

    # Bookkeeping, on the loop.

    def _add(self, session):
        self.sessions.append(session)

    def _opened(self, session):
        count = self._open.get(session.path, 0) + 1
        self._open[session.path] = count
        self.max_open[session.path] = max(self.max_open.get(session.path, 0), count)

    def _removed(self, session):
        if session.opened_at is not None:
            self._open[session.path] -= 1

    # Questions.

    def dials(self, path):
        """Upgrade requests for a path, whatever came of them."""
        return [session for session in list(self.requests) if session.path == path]

    def opened(self, path):
        return [session for session in self.dials(path) if session.opened_at is not None]

    def live(self, path):
        return [session for session in self.dials(path) if session.is_open]

    def session(self, path, timeout=10.0):
        """The one live session of a path."""
        eventually(lambda: self.live(path), timeout, f"a live session on {path}")
        live = self.live(path)
        assert len(live) == 1, f"{len(live)} live sessions on {path}"
        return live[0]
