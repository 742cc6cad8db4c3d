"""Speaks the URLs of the Autobahn test suite's fuzzing server; a few cases of its own.

    python suite_server.py PORT REPORT

`/getCaseCount` sends the number of cases and closes; `/runCase?case=N&agent=A` plays case N to an
echoing client; `/updateReports?agent=A` writes what came of them to REPORT as JSON.
"""

import asyncio
import json
import pathlib
import sys
import urllib.parse

from websockets.asyncio.server import serve

CASES = [
    ["Hello"],
    [b"\x00\xff" * 64],
    ["", b"", "ü緑" * 100],
    ["a" * 70_000, b"\xfe" * 200_000],
    [b"\x00" * (16 << 20)],
    ["x" * 1000 for _ in range(50)],
]

results = {}


async def play(connection, number):
    results[number] = "failed"
    for message in CASES[number - 1]:
        await connection.send(message)
        echo = await asyncio.wait_for(connection.recv(), 30)
        if echo != message or type(echo) is not type(message):
            return
    pong = await connection.ping(b"ping")
    await asyncio.wait_for(pong, 30)
    await connection.close()
    if connection.close_code == 1000:
        deflate = [extension.name for extension in connection.protocol.extensions]
        results[number] = "ok, " + (", ".join(deflate) or "plain")


async def handle(connection):
    parts = urllib.parse.urlsplit(connection.request.path)
    query = dict(urllib.parse.parse_qsl(parts.query))
    if parts.path == "/getCaseCount":
        await connection.send(str(len(CASES)))
    elif parts.path == "/runCase":
        await play(connection, int(query["case"]))
    elif parts.path == "/updateReports":
        pathlib.Path(sys.argv[2]).write_text(json.dumps({query["agent"]: results}))


async def main():
    async with serve(handle, "127.0.0.1", int(sys.argv[1]), max_size=32 << 20):
        print("listening", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
