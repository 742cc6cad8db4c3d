"""Echo servers on the WebSocket stacks of others: `python echo_peers.py STACK PORT [CERT KEY]`.

Each accepts permessage-deflate when it is offered, and sends back what it is sent. On a path that
begins with `/plain` it declines.
"""

import asyncio
import ssl
import sys


def context(files):
    if not files:
        return None
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*files)
    return tls


async def websockets_server(port, tls):
    from websockets.asyncio.server import serve
    from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory

    async def echo(connection):
        async for message in connection:
            await connection.send(message)

    def strip(connection, request):
        if request.path.startswith("/plain"):
            del request.headers["Sec-WebSocket-Extensions"]

    await serve(echo, "127.0.0.1", port, ssl=tls, max_size=32 << 20, compression=None,
                extensions=[ServerPerMessageDeflateFactory()], process_request=strip)


async def wsproto_server(port, tls):
    import wsproto
    from wsproto.events import AcceptConnection, BytesMessage, CloseConnection, Message, Ping, Request
    from wsproto.extensions import PerMessageDeflate

    async def serve(reader, writer):
        connection = wsproto.WSConnection(wsproto.ConnectionType.SERVER)
        parts = []
        while data := await reader.read(65536):
            connection.receive_data(data)
            for event in connection.events():
                if isinstance(event, Request):
                    extensions = [] if event.target.startswith("/plain") else [PerMessageDeflate()]
                    answer = AcceptConnection(extensions=extensions)
                elif isinstance(event, Message):
                    parts.append(event.data)
                    if not event.message_finished:
                        continue
                    whole = (b"" if isinstance(event, BytesMessage) else "").join(parts)
                    answer, parts = type(event)(data=whole), []
                elif isinstance(event, (CloseConnection, Ping)):
                    answer = event.response()
                else:
                    continue
                writer.write(connection.send(answer))
            await writer.drain()
            if connection.state is wsproto.connection.ConnectionState.CLOSED:
                break
        writer.close()

    await asyncio.start_server(serve, "127.0.0.1", port, ssl=tls)


async def autobahn_server(port, tls):
    from autobahn.asyncio.websocket import WebSocketServerFactory, WebSocketServerProtocol
    from autobahn.websocket.compress import PerMessageDeflateOffer, PerMessageDeflateOfferAccept

    class Echo(WebSocketServerProtocol):
        def onConnect(self, request):
            def accept(offers):
                if request.path.startswith("/plain"):
                    return None
                for offer in offers:
                    if isinstance(offer, PerMessageDeflateOffer):
                        return PerMessageDeflateOfferAccept(offer)

            self.perMessageCompressionAccept = accept

        def onMessage(self, payload, isBinary):
            self.sendMessage(payload, isBinary)

    factory = WebSocketServerFactory(f"{'wss' if tls else 'ws'}://127.0.0.1:{port}")
    factory.protocol = Echo
    await asyncio.get_running_loop().create_server(factory, "127.0.0.1", port, ssl=tls)


async def main(stack, port, *files):
    servers = {
        "websockets": websockets_server, "wsproto": wsproto_server, "autobahn": autobahn_server}
    await servers[stack](int(port), context(files))
    print("listening", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
