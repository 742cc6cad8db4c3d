"""python -m sidecar: one stand-in, with a gRPC port, an HTTP port, and a port for the tests.

Control, JSON over HTTP: `GET/PUT /faults` (a list of rules, see faults.py), `PUT /switches`
(`bulk_unknown`, `missing`, `largest_message`, `ready`), `POST /goaway`, `GET /accepted?from=N&topic=T`,
`GET /calls`.
"""

import argparse
import asyncio
import json
import signal
import socket

import grpc
from aiohttp import web
from dapr.proto.runtime.v1 import dapr_pb2_grpc

from .broker import Broker, RedisBroker
from .faults import Faults
from .service import Service
from .stores import BlindStore, RedisStore, TableStore


def arguments():
    parser = argparse.ArgumentParser(prog="sidecar")
    parser.add_argument("--grpc-port", type=int, default=0)
    parser.add_argument("--http-port", type=int, default=0)
    parser.add_argument("--control-port", type=int, default=0)
    parser.add_argument("--app-id", default="wsm")
    parser.add_argument("--api-token")
    parser.add_argument("--state", default="state.redis", help="type of the state component")
    parser.add_argument("--state-called", help="the type it tells of itself, if not --state")
    parser.add_argument("--state-store-name", default="statestore")
    parser.add_argument("--pubsub", default="pubsub.in-memory", help="type of the pub/sub component")
    parser.add_argument("--pubsub-name", default="pubsub")
    parser.add_argument("--redis", default="127.0.0.1:6379")
    parser.add_argument("--database", default=":memory:", help="file of a store that is a table")
    parser.add_argument("--secrets", help="JSON file: store -> key -> secret or map")
    parser.add_argument("--log", help="file that accepted events are written to, a line each")
    parser.add_argument("--max-body-size", type=int, default=4 << 20)
    parser.add_argument("--not-ready", action="store_true", help="until PUT /switches says ready")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def make_store(options):
    store = open_store(options)
    if options.state_called:
        store.type = options.state_called
    return store


def open_store(options):
    if options.state == "state.redis":
        host, port = options.redis.rsplit(":", 1)
        return RedisStore(host, int(port))
    if options.state in ("state.etcd", "state.memcached"):
        return BlindStore(options.database, options.state)
    return TableStore(options.database, options.state)


def make_broker(options):
    if options.pubsub == "pubsub.redis":
        host, port = options.redis.rsplit(":", 1)
        return RedisBroker(host, int(port), options.log)
    return Broker(options.log)


class Sidecar:
    def __init__(self, options):
        self.options = options
        self.faults = Faults(options.seed)
        self.broker = make_broker(options)
        secrets = json.load(open(options.secrets)) if options.secrets else {}
        self.service = Service(options, make_store(options), self.broker, self.faults, secrets)
        self.ready = not options.not_ready
        self.server = None
        self.grpc_port = options.grpc_port

    async def serve_grpc(self):
        # The same limit both ways, as daprd has it; pings of clients every 8 s are in order. Calls
        # of thousands of connections may wait: daprd cancels none of them.
        limit = self.options.max_body_size
        self.server = grpc.aio.server(options=[
            ("grpc.max_receive_message_length", limit), ("grpc.max_send_message_length", limit),
            ("grpc.http2.min_recv_ping_interval_without_data_ms", 8000),
            ("grpc.keepalive_permit_without_calls", 1), ("grpc.so_reuseport", 0),
            ("grpc.server.max_pending_requests", 1_000_000),
            ("grpc.server.max_pending_requests_hard_limit", 1_000_000)])
        dapr_pb2_grpc.add_DaprServicer_to_server(self.service, self.server)
        self.grpc_port = self.server.add_insecure_port(f"127.0.0.1:{self.grpc_port}")
        await self.server.start()

    async def goaway(self, request):
        """Ends the connections in order, and listens again: a restart of the sidecar."""
        body = await request.json() if request.can_read_body else {}
        await self.server.stop(body.get("grace", 2))
        await asyncio.sleep(body.get("down", 0))
        await self.serve_grpc()
        return web.Response(status=204)

    async def health(self, request):
        return web.Response(status=204 if self.ready else 500)

    async def put_faults(self, request):
        try:
            self.faults.replace(await request.json())
        except ValueError as error:
            return web.Response(status=400, text=str(error))
        return web.Response(status=204)

    async def get_faults(self, request):
        return web.json_response(self.faults.rules)

    async def put_switches(self, request):
        switches = await request.json()
        for name, value in switches.items():
            if name == "bulk_unknown":
                self.faults.bulk_unknown = value
            elif name == "missing":
                self.faults.missing = set(value)
            elif name == "largest_message":
                self.broker.largest = value
            elif name == "ready":
                self.ready = value
                if value and not self.server:
                    await self.serve_grpc()
            else:
                return web.Response(status=400, text=f"there is no switch {name}")
        return web.Response(status=204)

    async def accepted(self, request):
        position, events = self.broker.read(
            int(request.query.get("from", 0)), request.query.get("topic"),
            int(request.query.get("limit", 10_000)))
        return web.json_response({"next": position, "events": events})

    async def calls(self, request):
        return web.json_response(self.service.calls)

    async def serve_http(self, port, *routes):
        app = web.Application()
        app.add_routes(routes)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", port)
        await site.start()
        return site._server.sockets[0].getsockname()[1]

    async def run(self):
        # The port is known, and refuses connections, before the sidecar is ready.
        if self.ready:
            await self.serve_grpc()
        elif not self.grpc_port:
            with socket.create_server(("127.0.0.1", 0)) as listener:
                self.grpc_port = listener.getsockname()[1]
        health = [web.get(path, self.health) for path in ("/v1.0/healthz", "/v1.0/healthz/outbound")]
        http_port = await self.serve_http(self.options.http_port, *health)
        control_port = await self.serve_http(
            self.options.control_port,
            web.get("/faults", self.get_faults), web.put("/faults", self.put_faults),
            web.put("/switches", self.put_switches), web.post("/goaway", self.goaway),
            web.get("/accepted", self.accepted), web.get("/calls", self.calls))
        print(f"sidecar grpc={self.grpc_port} http={http_port} control={control_port} ready",
              flush=True)
        stop = asyncio.Event()
        for name in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(name, stop.set)
        await stop.wait()
        if self.server:
            await self.server.stop(1)


asyncio.run(Sidecar(arguments()).run())
