"""State components: Redis with its script's rules, and tables with those of PostgreSQL and SQLite.

Every store has `get(key)`, `bulk(keys, parallelism)`, `set(item)` and `delete(key, etag)` on keys that
have their prefix already; a value is `(data, etag)`.
"""

import asyncio
import sqlite3
import uuid

from .errors import ComponentError, EtagInvalid, EtagMismatch
from .redis_wire import Redis, RedisError

FIRST_WRITE, LAST_WRITE = 1, 2

# A key is a hash with a counter for a tag and a mark of those that were born by first-write. Whoever
# sends no tag sends 0. What is absent can be set under any tag; what has no mark can be set under 0.
SET = """
local version = redis.call('HGET', KEYS[1], 'version')
local marked = redis.call('HEXISTS', KEYS[1], 'first-write') == 1
if version and version ~= ARGV[1] and (marked or ARGV[1] ~= '0') then
    return redis.error_reply('failed to set key ' .. KEYS[1])
end
redis.call('HSET', KEYS[1], 'data', ARGV[2])
if ARGV[3] == '1' then redis.call('HSET', KEYS[1], 'first-write', '0') end
return redis.call('HINCRBY', KEYS[1], 'version', 1)
"""
DELETE = """
local version = redis.call('HGET', KEYS[1], 'version')
if version and version ~= ARGV[1] and ARGV[1] ~= '0' then
    return redis.error_reply('failed to delete ' .. KEYS[1])
end
return redis.call('DEL', KEYS[1])
"""


class RedisStore:
    type, version = "state.redis", "v1"
    capabilities = ["ETAG", "TRANSACTIONAL", "TTL", "DELETE_WITH_PREFIX", "ACTOR"]

    def __init__(self, host, port):
        self.redis = Redis(host, port)

    async def get(self, key):
        try:
            data, version = await self.redis.call("HMGET", key, "data", "version")
        except RedisError as error:
            raise ComponentError(str(error)) from None
        return (data or b"", version.decode()) if version else None

    async def bulk(self, keys, parallelism):
        """In the order of the keys; a key that cannot be read has an error of its own."""
        limit = asyncio.Semaphore(parallelism if parallelism > 0 else max(1, len(keys)))

        async def one(key):
            async with limit:
                try:
                    return key, await self.get(key), ""
                except ComponentError as error:
                    return key, None, str(error)

        return await asyncio.gather(*(one(key) for key in keys))

    async def set(self, key, data, etag, concurrency):
        sent = "0" if not etag or concurrency == LAST_WRITE else self._number(etag)
        marks = "1" if concurrency == FIRST_WRITE else "0"
        try:
            await self.redis.call("EVAL", SET, 1, key, sent, data, marks)
        except RedisError as error:
            # Whatever went wrong: with a tag it is called a mismatch.
            raise (EtagMismatch if etag else ComponentError)(
                f"failed to set key {key}: {error}") from None

    async def delete(self, key, etag):
        try:
            await self.redis.call("EVAL", DELETE, 1, key, self._number(etag) if etag else "0")
        except RedisError as error:
            raise EtagMismatch(f"failed to delete key {key}: {error}") from None

    @staticmethod
    def _number(etag):
        try:
            return str(int(etag))
        except ValueError:
            raise EtagInvalid(f"invalid etag value: {etag}") from None


class TableStore:
    """A table that several sidecars share, in an SQLite file."""

    capabilities = ["ETAG", "TRANSACTIONAL", "TTL", "ACTOR"]

    def __init__(self, path, type="state.postgresql", version="v2"):
        self.type, self.version = type, version
        self.database = sqlite3.connect(path, isolation_level=None, timeout=5)
        self.database.execute("PRAGMA journal_mode = WAL")
        self.database.execute("PRAGMA synchronous = OFF")
        self.database.execute(
            "CREATE TABLE IF NOT EXISTS state (key TEXT PRIMARY KEY, value BLOB, etag TEXT)")

    def _run(self, statement, *arguments):
        try:
            return self.database.execute(statement, arguments)
        except sqlite3.Error as error:
            raise ComponentError(str(error)) from None

    async def get(self, key):
        row = self._run("SELECT value, etag FROM state WHERE key = ?", key).fetchone()
        return (row[0], row[1]) if row else None

    async def bulk(self, keys, parallelism):
        """One query: found rows first and in an order of the table's own, then absent keys."""
        found = {}
        for key in set(keys):
            value = await self.get(key)
            if value:
                found[key] = value
        rows = sorted(found.items(), key=lambda row: row[1][1])
        absent = sorted(set(keys) - found.keys())
        return [(key, value, "") for key, value in rows] + [(key, None, "") for key in absent]

    async def set(self, key, data, etag, concurrency):
        fresh = str(uuid.uuid4())
        if etag:
            changed = self._run(
                "UPDATE state SET value = ?, etag = ? WHERE key = ? AND etag = ?",
                data, fresh, key, etag).rowcount
            if changed != 1:
                raise EtagMismatch("possible etag mismatch. error from state store")
        elif concurrency == FIRST_WRITE:
            changed = self._run(
                "INSERT INTO state VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                key, data, fresh).rowcount
            if changed != 1:
                if self.type == "state.postgresql":
                    raise ComponentError("no item was updated")
                raise EtagMismatch("possible etag mismatch. error from state store")
        else:
            self._run("INSERT OR REPLACE INTO state VALUES (?, ?, ?)", key, data, fresh)

    async def delete(self, key, etag):
        if not etag:
            self._run("DELETE FROM state WHERE key = ?", key)
        elif self._run("DELETE FROM state WHERE key = ? AND etag = ?", key, etag).rowcount != 1:
            raise EtagMismatch("possible etag mismatch. error from state store")


class BlindStore(TableStore):
    """A store whose compare-and-set is not looked at (etcd), or that has none (memcached)."""

    def __init__(self, path, type):
        super().__init__(path, type, "v1")
        self.capabilities = ["ETAG", "TTL"] if type == "state.etcd" else ["TTL"]

    async def set(self, key, data, etag, concurrency):
        await super().set(key, data, None, LAST_WRITE)
