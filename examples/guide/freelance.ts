/**
 * Freelance, model three: clients and servers are ROUTERs, and clients know which servers live.
 *
 * The Freelance Protocol (RFC 10). A server's routing id is its endpoint, so that a client can talk to one of them and no
 * other. PINGs tell who lives and who is near; a request goes to the best server, and to another one when that dies.
 *
 *   deno run --allow-net examples/guide/freelance.ts
 *
 * or the same with `bun` or `node`. After flclient3, flserver3 and flcliapi of the ZeroMQ guide.
 *
 * @module
 */

import { FreelanceClient, FreelanceServer } from "../../src/patterns/mod.ts";
import { sleep } from "./program.ts";

const REQUESTS = 1_000;
const names = new Map<string, string>();

async function startServer(name: string): Promise<FreelanceServer> {
  const server = new FreelanceServer({ handler: ([request]) => `${name} did ${request}` });
  await server.bind("tcp://127.0.0.1:*");
  names.set(server.endpoint!, name);
  return server;
}

const servers = [await startServer("A"), await startServer("B"), await startServer("C")];
const client = new FreelanceClient({
  servers: servers.map((server) => server.endpoint!),
  requestTimeout: 10_000,
  heartbeatInterval: 100,
});
client.events.on("lost", ({ endpoint, reason }) => {
  console.log(`${names.get(endpoint)} is ${reason}`);
});
while (!client.servers.every(({ alive }) => alive)) await sleep(1);
console.log(`the client knows ${client.servers.length} servers, all alive`);

// Many requests at once: each server has its part of them.
const replies = await Promise.all(Array.from({ length: REQUESTS }, (_, i) => client.request(i)));
const shares = new Map<string, number>();
for (const [reply] of replies) {
  const name = `${reply}`.slice(0, 1);
  shares.set(name, (shares.get(name) ?? 0) + 1);
}
console.log(
  `${REQUESTS} replies: ${[...shares].sort().map((share) => share.join(" ")).join(", ")}`,
);

await servers[0].close();
await servers[1].close();
console.log(`${await client.request("one more task")}`);

await servers[2].close();
const waiting = client.request("the last task"); // nobody is alive: it waits
const d = await startServer("D");
client.addServer(d.endpoint!);
console.log(`${await waiting}`);

await client.close();
await d.close();
