"""A client on websockets and uvloop, one task a connection: websockets_client.py PORT CONNECTIONS"""

import asyncio
import json
import signal
import sys

import uvloop
import websockets

messages = 0
bytes_ = 0


async def read(socket):
    global messages, bytes_
    async for message in socket:
        messages += 1
        bytes_ += len(message)


async def main():
    port, count = int(sys.argv[1]), int(sys.argv[2])
    end = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, end.set)
    tasks = []
    for _ in range(count):
        socket = await websockets.connect(
            f"ws://127.0.0.1:{port}/", compression=None, ping_interval=None)
        tasks.append(asyncio.create_task(read(socket)))
    await end.wait()
    print(json.dumps({"messages": messages, "bytes": bytes_}), flush=True)
    for task in tasks:
        task.cancel()


uvloop.run(main())
