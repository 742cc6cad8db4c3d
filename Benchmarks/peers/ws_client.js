// A client on ws: node ws_client.js PORT CONNECTIONS [CA-FILE]
// With the file it speaks wss and checks the source's certificate.
const fs = require("fs");
const WebSocket = require("ws");

const [port, count, ca] = process.argv.slice(2);
const scheme = ca ? "wss" : "ws";
const options = { perMessageDeflate: false, ...(ca && { ca: fs.readFileSync(ca) }) };
let messages = 0;
let bytes = 0;
for (let i = 0; i < Number(count); i++) {
  const socket = new WebSocket(`${scheme}://127.0.0.1:${port}/`, options);
  socket.on("message", (data) => {
    messages += 1;
    bytes += data.length;
  });
}
process.on("SIGTERM", () => {
  console.log(JSON.stringify({ messages, bytes }));
  process.exit(0);
});
if (count === "0") setInterval(() => {}, 1000);
