// A server doubles numbers.

import { Reply, Request } from "zeromq";
import { anywhere } from "./address.ts";

async function serve(socket: Reply): Promise<void> {
  for await (const [message] of socket) {
    await socket.send(2 * parseInt(message.toString(), 10));
  }
  console.log("the server's loop has ended");
}

const server = new Reply();
await server.bind(anywhere("double"));
const serving = serve(server);

const client = new Request();
client.connect(server.lastEndpoint!);
for (const number of [4, 21, -1]) {
  await client.send(number);
  const [result] = await client.receive();
  console.log(`twice ${number} is ${result}`);
}
client.close();
server.close();
await serving;
