// A client on ws: node ws_client.js PORT CONNECTIONS
const WebSocket = require("ws");

const [port, count] = process.argv.slice(2).map(Number);
let messages = 0;
let bytes = 0;
for (let i = 0; i < count; i++) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`, { perMessageDeflate: false });
  socket.on("message", (data) => {
    messages += 1;
    bytes += data.length;
  });
}
process.on("SIGTERM", () => {
  console.log(JSON.stringify({ messages, bytes }));
  process.exit(0);
});
