/**
 * Is there anybody who does it?
 *
 * A broker of Majordomo answers questions about itself: `mmi.service` tells whether a service has a
 * worker. A client that asks first need not wait for a reply that cannot come.
 *
 *   deno run --allow-net examples/guide/mmi_echo.ts
 *
 * or the same with `bun` or `node`. After mmiecho of the ZeroMQ guide.
 *
 * @module
 */

import { MajordomoBroker, MajordomoClient, MajordomoWorker } from "../../src/patterns/mod.ts";
import { sleep } from "./program.ts";

const broker = new MajordomoBroker();
await broker.bind("tcp://127.0.0.1:*");
const endpoint = broker.lastEndpoint!;
const client = new MajordomoClient({ endpoint });

async function look(): Promise<void> {
  const there = await client.exists("echo");
  console.log(`the service echo is ${there ? "there" : "not there"}`);
}

await look();
const worker = new MajordomoWorker({ endpoint, service: "echo", handler: (request) => request });
while (!await client.exists("echo")) await sleep(5);
await look();
await worker.close();
while (await client.exists("echo")) await sleep(5);
await look();
console.log(`what the broker does not know of: ${await client.manage("weather", "London")}`);

await client.close();
await broker.close();
