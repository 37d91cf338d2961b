/**
 * Requests that survive: Titanic keeps them on the disk.
 *
 * A client has three requests stored while there is no worker at all, and goes away. Titanic itself is
 * stopped and started again, in the same folder. Then a worker comes, and another client, who knows
 * nothing but the numbers on three tickets, fetches the replies.
 *
 *   deno run -A examples/guide/titanic.ts
 *
 * or the same with `bun` or `node`. After titanic and ticlient of the ZeroMQ guide.
 *
 * @module
 */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  MajordomoBroker,
  MajordomoWorker,
  Titanic,
  TitanicClient,
} from "../../src/patterns/mod.ts";

const folder = await mkdtemp(join(tmpdir(), "titanic-"));
const broker = new MajordomoBroker();
await broker.bind("tcp://127.0.0.1:*");
const endpoint = broker.lastEndpoint!;

async function startTitanic(): Promise<Titanic> {
  const titanic = new Titanic({ endpoint, folder, retryInterval: 50 });
  await titanic.ready();
  const { requests, answered } = titanic.stats();
  console.log(`titanic: ${requests} requests on the disk, ${answered} of them answered`);
  return titanic;
}

async function submit(): Promise<string[]> {
  const client = new TitanicClient({ endpoint });
  const tickets: string[] = [];
  for (const passenger of ["Ada", "Ben", "Cleo"]) {
    tickets.push(await client.submit("purser", passenger));
    console.log(`client: ${passenger} has a ticket of ${tickets.at(-1)!.length} characters`);
  }
  const early = await client.fetch(tickets[0]);
  console.log(`client: the first reply is ${early === undefined ? "pending" : "there"}`);
  await client.close();
  return tickets;
}

async function fetch(tickets: readonly string[]): Promise<void> {
  const client = new TitanicClient({ endpoint });
  for (const ticket of tickets) {
    const [reply] = await client.wait(ticket, { interval: 20 });
    console.log(`another client: ${reply}`);
    await client.discard(ticket);
  }
  await client.close();
}

const first = await startTitanic();
const tickets = await submit();
await first.close();

const second = await startTitanic();
const worker = new MajordomoWorker({
  endpoint,
  service: "purser",
  handler: ([passenger]) => `${passenger} has a cabin`,
});
await fetch(tickets);
console.log(`titanic: ${second.stats().requests} requests on the disk`);

await worker.close();
await second.close();
await broker.close();
await rm(folder, { recursive: true });
