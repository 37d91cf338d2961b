/**
 * What does a round trip cost?
 *
 * The same requests by way of the same broker: first each waits for the reply to the one before,
 * then many are under way at once. Nothing got faster in between but the use of the time.
 *
 *   deno run --allow-net examples/guide/tripping.ts
 *
 * or the same with `bun` or `node`. After tripping of the ZeroMQ guide.
 *
 * @module
 */

import { MajordomoBroker, MajordomoClient, MajordomoWorker } from "../../src/patterns/mod.ts";

const ONE_BY_ONE = 1_000;
const AT_ONCE = 20_000;

const broker = new MajordomoBroker({ requestsPerWorker: 100 });
await broker.bind("tcp://127.0.0.1:*");
const endpoint = broker.lastEndpoint!;
const worker = new MajordomoWorker({ endpoint, service: "echo", handler: (request) => request });
const client = new MajordomoClient({ endpoint, maxPending: AT_ONCE, timeout: 10_000 });
await client.request("echo", "warm up");

async function time(what: string, count: number, work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  const rate = count / (performance.now() - start) * 1000;
  console.log(`${what}: ${Math.round(rate)} round trips a second`);
  return rate;
}

const slow = await time("one by one", ONE_BY_ONE, async () => {
  for (let i = 0; i < ONE_BY_ONE; i++) await client.request("echo", "hello");
});
const fast = await time("at once", AT_ONCE, () => {
  return Promise.all(Array.from({ length: AT_ONCE }, () => client.request("echo", "hello")));
});
console.log(`${(fast / slow).toFixed(1)} times as many`);

for (const part of [client, worker, broker]) await part.close();
