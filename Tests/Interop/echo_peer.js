// An echo server on node's ws: node echo_peer.js PORT [CERT KEY]. On /plain... it declines deflate.
"use strict";
const fs = require("fs");
const { WebSocketServer } = require("ws");

const [port, cert, key] = process.argv.slice(2);
const server = cert
  ? require("https").createServer({ cert: fs.readFileSync(cert), key: fs.readFileSync(key) })
  : require("http").createServer();

function echo(perMessageDeflate) {
  const echo = new WebSocketServer({ noServer: true, perMessageDeflate, maxPayload: 32 << 20 });
  echo.on("connection", (socket) => {
    socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
  return echo;
}

const plain = echo(false);
const deflating = echo({ threshold: 0 });
server.on("upgrade", (request, socket, head) => {
  const chosen = request.url.startsWith("/plain") ? plain : deflating;
  chosen.handleUpgrade(request, socket, head, (client) => chosen.emit("connection", client));
});
server.listen(Number(port), "127.0.0.1", () => console.log("listening"));
