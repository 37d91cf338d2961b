/**
 * Hello World: a client asks, a server answers.
 *
 * REQ and REP take turns: a request, its reply, the next request. The client may connect before the
 * server is there, and either may be restarted without the other; messages are arrays of frames,
 * here of one.
 *
 *   deno run --allow-net examples/guide/hello_world.ts
 *
 * or the same with `bun` or `node`. After hwserver and hwclient of the ZeroMQ guide.
 *
 * @module
 */

import { Reply, Request } from "../../mod.ts";

const REQUESTS = 10;

/** Answers until it is closed. */
async function serve(server: Reply): Promise<void> {
  for await (const [request] of server) await server.send(`${request} World`);
}

const server = new Reply();
await server.bind("tcp://127.0.0.1:*");
const serving = serve(server);

const client = new Request();
client.connect(server.lastEndpoint!);
for (let number = 1; number <= REQUESTS; number++) {
  await client.send("Hello");
  const [reply] = await client.receive();
  console.log(`request ${number}: ${reply}`);
}

await client.close();
await server.close();
await serving; // closing its socket ended its loop
