/**
 * Freelance, model two: every request goes to all servers, and the first reply counts.
 *
 * The shotgun never waits for a dead server as long as another one lives. The price: every server does all the work, and the
 * client throws all replies but one away. Each request has a number, so that late replies are known for what they are.
 *
 *   deno run --allow-net examples/guide/freelance_shotgun.ts
 *
 * or the same with `bun` or `node`. After flclient2 and flserver2 of the ZeroMQ guide.
 *
 * @module
 */

import { ShotgunClient, ShotgunServer } from "../../src/patterns/mod.ts";
import { sleep } from "./program.ts";

const REQUESTS = 1_000;

async function startServer(name: string, workMs: number): Promise<ShotgunServer> {
  const server = new ShotgunServer({
    handler: async ([request]) => {
      if (workMs > 0) await sleep(workMs);
      return `${name} did ${request}`;
    },
  });
  await server.bind("tcp://127.0.0.1:*");
  return server;
}

const quick = await startServer("quick", 10);
const slow = await startServer("slow", 100);
const client = new ShotgunClient({ servers: [quick.endpoint!, slow.endpoint!] });

let connected = 0;
client.events.on("connected", () => connected++);
while (connected < 2) await sleep(1);

console.log(`${await client.request("task 1")}`);
await quick.close();
console.log(`${await client.request("task 2")}`); // no timeout, no failover: the other reply is there
const { sent, replies, late } = client.stats();
console.log(`${sent} copies were sent, ${replies} replies used, ${late} thrown away`);

const idle = await startServer("idle", 0);
client.addServer(idle.endpoint!);
client.removeServer(slow.endpoint!);
const start = performance.now();
for (let i = 0; i < REQUESTS; i++) await client.request(i);
const each = (performance.now() - start) / REQUESTS;
console.log(`${REQUESTS} requests one after the other, ${each.toFixed(2)} ms each`);

await Promise.all([client, slow, idle].map((part) => part.close()));
