/**
 * Paranoid Pirate: a queue and workers that watch each other.
 *
 * Queue and workers exchange heartbeats. First a worker dies: the queue takes it off its list before
 * anybody is sent there. Then the queue dies and is started again at the same address: the workers
 * notice, and come back by themselves. The client is a Lazy Pirate and sees nothing of all this but
 * an answer that takes longer.
 *
 *   deno run --allow-net examples/guide/paranoid_pirate.ts
 *
 * or the same with `bun` or `node`. After ppqueue and ppworker of the ZeroMQ guide.
 *
 * @module
 */

import {
  LazyPirateClient,
  ParanoidPirateQueue,
  ParanoidPirateWorker,
} from "../../src/patterns/mod.ts";
import { sleep } from "./program.ts";

/** In a real system heartbeats are rarer: a second apart, three of them. */
const BEATS = { heartbeatInterval: 50, heartbeatLiveness: 4 } as const;
const ANY = "tcp://127.0.0.1:*";

async function startQueue(clients = ANY, workers = ANY): Promise<ParanoidPirateQueue> {
  const queue = new ParanoidPirateQueue({ ...BEATS, socketOptions: { linger: 0 } });
  queue.events.on(
    "worker",
    () => console.log(`queue: a worker is ready, ${queue.stats().workers} in all`),
  );
  queue.events.on("lost", () => console.log("queue: a worker is gone"));
  await queue.bind(clients, workers);
  return queue;
}

function startWorker(name: string, endpoint: string): ParanoidPirateWorker {
  const worker = new ParanoidPirateWorker({
    ...BEATS,
    reconnectInterval: 50,
    handler: ([request]) => `${request}, says ${name}`,
  });
  worker.events.on("lost", ({ pause }) => console.log(`${name}: no queue, waits ${pause} ms`));
  worker.connect(endpoint);
  return worker;
}

/** Waits until the queue has so many workers. */
async function untilWorkers(queue: ParanoidPirateQueue, count: number): Promise<void> {
  while (queue.stats().workers !== count) await sleep(10);
}

let queue = await startQueue();
const addresses = [queue.frontendEndpoint!, queue.backendEndpoint!] as const;
const workers = ["Mary", "Ned"].map((name) => startWorker(name, addresses[1]));
const client = new LazyPirateClient({ endpoint: addresses[0], timeout: 500, retries: 9 });
const ask = async (text: string): Promise<void> =>
  console.log(`client: ${(await client.request(text))[0]}`);

await untilWorkers(queue, 2);
await ask("ahoy");
await ask("ahoy again");

await workers[1].close();
await untilWorkers(queue, 1);
await ask("who is left");

console.log("the queue goes away");
await queue.close();
await sleep(500);
console.log("a new queue is there");
queue = await startQueue(...addresses);
await ask("what news");

await client.close();
await workers[0].close();
await queue.close();
