"""The little of Redis's protocol (RESP2) that is needed, pipelined over one connection."""

import asyncio


class RedisError(Exception):
    """Redis answered with an error, or not at all."""


class _Reader:
    def __init__(self):
        self.buffer = bytearray()

    def replies(self):
        """Every whole reply there is, in order."""
        while (parsed := self._parse(0)) is not None:
            reply, end = parsed
            del self.buffer[:end]
            yield reply

    def _parse(self, start):
        end = self.buffer.find(b"\r\n", start)
        if end < 0:
            return None
        kind, line, after = self.buffer[start:start + 1], self.buffer[start + 1:end], end + 2
        if kind == b"+":
            return bytes(line), after
        if kind == b"-":
            return RedisError(line.decode(errors="replace")), after
        if kind == b":":
            return int(line), after
        size = int(line)
        if size < 0:
            return None if kind not in b"$*" else (None, after)
        if kind == b"$":
            if len(self.buffer) < after + size + 2:
                return None
            return bytes(self.buffer[after:after + size]), after + size + 2
        items = []
        for _ in range(size):
            parsed = self._parse(after)
            if parsed is None:
                return None
            items.append(parsed[0])
            after = parsed[1]
        return items, after


class Redis(asyncio.Protocol):
    """One connection; made again by the next call after it was lost."""

    # As the component's own: a server that hangs is a fault, not a wait.
    TIMEOUT = 5.0

    def __init__(self, host, port):
        self.host, self.port = host, port
        self.transport = None
        self.waiting = []
        self.lock = asyncio.Lock()

    async def call(self, *arguments):
        """The reply; raises RedisError, for a lost connection too."""
        if self.transport is None:
            async with self.lock:
                if self.transport is None:
                    await self._connect()
        parts = [b"*%d\r\n" % len(arguments)]
        for argument in arguments:
            if isinstance(argument, int):
                argument = b"%d" % argument
            elif isinstance(argument, str):
                argument = argument.encode()
            parts += [b"$%d\r\n" % len(argument), argument, b"\r\n"]
        future = asyncio.get_running_loop().create_future()
        self.waiting.append(future)
        self.transport.write(b"".join(parts))
        try:
            reply = await asyncio.wait_for(future, self.TIMEOUT)
        except TimeoutError:
            self._lost()
            raise RedisError("i/o timeout") from None
        if isinstance(reply, RedisError):
            raise reply
        return reply

    async def _connect(self):
        self.reader = _Reader()
        try:
            await asyncio.wait_for(
                asyncio.get_running_loop().create_connection(lambda: self, self.host, self.port),
                self.TIMEOUT)
        except (OSError, TimeoutError) as error:
            raise RedisError(f"dial tcp {self.host}:{self.port}: {error}") from None

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.reader.buffer += data
        for reply in self.reader.replies():
            future = self.waiting.pop(0)
            if not future.done():
                future.set_result(reply)

    def connection_lost(self, error):
        self._lost()

    def _lost(self):
        transport, self.transport = self.transport, None
        if transport:
            transport.abort()
        waiting, self.waiting = self.waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(RedisError("EOF"))
