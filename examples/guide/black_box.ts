/**
 * The Black Box: a subscriber for more messages than one thread can work on.
 *
 * The receiver does nothing but receive: it puts messages into batches and pushes those to workers,
 * threads of their own, each of which takes one when it is ready for it. What is done with a
 * message may then take longer than the time between two. A batch costs as much on its way as one
 * message would; with a `sendHighWaterMark` of a few, a slow worker gets no more than it can do
 * soon.
 *
 *   deno run --allow-net --allow-read examples/guide/black_box.ts
 *
 * or the same with `bun` or `node`. After the Black Box pattern of the ZeroMQ guide.
 *
 * @module
 */

import { isMainThread, parentPort, threadId, Worker, workerData } from "node:worker_threads";
import { Publisher, Pull, Push, Subscriber } from "../../mod.ts";
import { sleep } from "./program.ts";

const WORKERS = 2;
const MESSAGES = 50_000;
const BATCH = 500;
const text = new TextEncoder();

/** A thread: works on batches until the main thread has it end. */
async function work({ batches, results }: { batches: string; results: string }): Promise<void> {
  const pull = new Pull({ receiveHighWaterMark: 4 });
  pull.connect(batches);
  const push = new Push();
  push.connect(results);
  parentPort!.once("message", () => pull.close()); // ends the loop
  for await (const batch of pull) {
    let sum = 0;
    for (const frame of batch) sum += frame.json<{ price: number }>().price; // the work
    await push.send([threadId, batch.length, sum]);
  }
  await push.close();
}

/** Receives as fast as it can, and hands on. */
async function receive(subscriber: Subscriber, workers: Push): Promise<void> {
  for (let rest = MESSAGES; rest > 0; rest -= BATCH) {
    const batch: Uint8Array[] = [];
    while (batch.length < BATCH) batch.push((await subscriber.receive())[1]);
    await workers.send(batch);
  }
}

async function main(): Promise<void> {
  const workers = new Push({ sendHighWaterMark: 4 });
  await workers.bind("tcp://127.0.0.1:*");
  const results = new Pull();
  await results.bind("tcp://127.0.0.1:*");
  const addresses = { batches: workers.lastEndpoint!, results: results.lastEndpoint! };
  const threads = Array.from({ length: WORKERS }, () => {
    return new Worker(new URL(import.meta.url), { workerData: addresses });
  });
  for (const thread of threads) thread.once("error", (error) => Promise.reject(error));
  while (workers.stats().peers.filter((peer) => peer.connected).length < WORKERS) await sleep(1);

  const publisher = new Publisher({ noDrop: true }); // waits for the box, and loses nothing
  await publisher.bind("tcp://127.0.0.1:*");
  const subscriber = new Subscriber();
  subscriber.connect(publisher.lastEndpoint!);
  subscriber.subscribe("quote");
  while (publisher.topicsCount === 0) await sleep(1);

  const start = performance.now();
  const receiving = receive(subscriber, workers);
  const publishing = (async () => {
    for (let number = 0; number < MESSAGES; number++) {
      await publisher.send(["quote", text.encode(`{"price":${number % 100}}`)]);
    }
  })();
  let [messages, sum] = [0, 0];
  const busy = new Set<string>();
  while (messages < MESSAGES) {
    const [thread, count, part] = (await results.receive()).map(String);
    busy.add(thread);
    messages += Number(count);
    sum += Number(part);
  }
  const rate = messages / (performance.now() - start);
  console.log(`${messages} messages by ${busy.size} threads, ${rate.toFixed(0)} a millisecond`);
  console.log(`the sum of all prices is ${sum}`);

  await Promise.all([receiving, publishing]);
  for (const thread of threads) thread.postMessage("end");
  await Promise.all([publisher, subscriber, workers, results].map((socket) => socket.close()));
}

await (isMainThread ? main() : work(workerData));
