"""A client on picows and uvloop: picows_client.py PORT CONNECTIONS"""

import asyncio
import json
import signal
import sys

import picows
import uvloop


class Listener(picows.WSListener):
    messages = 0
    bytes = 0

    def on_ws_frame(self, transport, frame):
        Listener.messages += 1
        Listener.bytes += len(frame.get_payload_as_memoryview())


async def main():
    port, count = int(sys.argv[1]), int(sys.argv[2])
    end = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, end.set)
    kept = [
        await picows.ws_connect(Listener, f"ws://127.0.0.1:{port}/") for _ in range(count)]
    await end.wait()
    print(json.dumps({"messages": Listener.messages, "bytes": Listener.bytes}), flush=True)
    del kept


uvloop.run(main())
