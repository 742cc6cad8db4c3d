"""The pub/sub component: what was accepted, in order; in memory, and in Redis Streams if told so."""

import asyncio
import collections
import json
import time

from .errors import ComponentError
from .redis_wire import Redis, RedisError

Accepted = collections.namedtuple("Accepted", "at pubsub topic event")


class Broker:
    """Accepts in memory; keeps the newest `KEPT` for tests to read."""

    type, version, capabilities = "pubsub.in-memory", "v1", ["MESSAGE_TTL"]
    KEPT = 1_000_000

    def __init__(self, log=None):
        self.accepted = collections.deque(maxlen=self.KEPT)
        self.first = 0
        self.largest = None
        self.log = open(log, "ab", buffering=0) if log else None

    async def publish(self, pubsub, topic, event):
        """`event` is bytes as a consumer would get them."""
        if self.largest is not None and len(event) > self.largest:
            raise ComponentError(
                f"message of {len(event)} bytes is larger than {self.largest} bytes")
        self._take(pubsub, topic, event)

    def _take(self, pubsub, topic, event):
        if len(self.accepted) == self.KEPT:
            self.first += 1
        self.accepted.append(Accepted(time.time(), pubsub, topic, event))
        if self.log:
            self.log.write(event + b"\n")

    def read(self, start, topic=None, limit=10_000):
        """`(next, [event …])` from a position on."""
        index = max(0, start - self.first)
        events = []
        for position in range(index, min(len(self.accepted), index + limit)):
            item = self.accepted[position]
            if topic is None or item.topic == topic:
                events.append({"topic": item.topic, "at": item.at, "event": _json(item.event)})
        return self.first + min(len(self.accepted), index + limit), events


def _json(event):
    try:
        return json.loads(event)
    except ValueError:
        return {"raw": event.hex()}


class RedisBroker(Broker):
    """Streams named as the topic, with the fields that the component writes."""

    type = "pubsub.redis"

    def __init__(self, host, port, log=None):
        super().__init__(log)
        self.redis = Redis(host, port)

    async def publish(self, pubsub, topic, event):
        try:
            await self.redis.call("XADD", topic, "*", "data", event, "metadata", "{}")
        except RedisError as error:
            raise ComponentError(f"redis streams: error from publish: {error}") from None
        self._take(pubsub, topic, event)


async def publish_all(broker, pubsub, topic, entries, shuffle, failing):
    """A bulk call on a component without one: a hundred at a time, in no order.

    Returns the ids that failed; `failing` of them are made to.
    """
    order = list(entries)
    shuffle(order)
    doomed = {id for id, _ in order[:failing]}
    limit = asyncio.Semaphore(100)
    failed = {}

    async def one(id, event):
        async with limit:
            try:
                if id in doomed:
                    raise ComponentError("the broker refused it")
                await broker.publish(pubsub, topic, event)
            except ComponentError as error:
                failed[id] = str(error)

    await asyncio.gather(*(one(id, event) for id, event in order))
    return failed
