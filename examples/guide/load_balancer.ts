/**
 * A load balancer: fast and slow workers, each of which gets what it can do.
 *
 * A DEALER or a proxy deals requests out in turn, and a slow worker has a line while others are
 * idle. Here workers ask for work: the broker keeps a list of those that are free, least recently
 * used first. While nobody is free it reads nothing, so the requests wait where they are, and
 * clients that send too many are held back.
 *
 *   deno run --allow-net examples/guide/load_balancer.ts
 *
 * or the same with `bun` or `node`. After lbbroker of the ZeroMQ guide, with the ready-made broker;
 * load_balancer_loops.ts is the same by hand.
 *
 * @module
 */

import { Request } from "../../mod.ts";
import { LoadBalancingBroker, SimplePirateWorker } from "../../src/patterns/mod.ts";
import { sleep } from "./program.ts";

const CLIENTS = 10;
const REQUESTS = 10;
/** What one request takes each of the workers, in milliseconds. */
const SPEEDS = [5, 10, 50];

const broker = new LoadBalancingBroker();
await broker.bind("tcp://127.0.0.1:*", "tcp://127.0.0.1:*");

const workers = SPEEDS.map((ms) => {
  const worker = new SimplePirateWorker({
    handler: async ([text]) => {
      await sleep(ms);
      return String(text).toUpperCase();
    },
  });
  worker.connect(broker.backendEndpoint!);
  return worker;
});

async function ask(): Promise<number> {
  const client = new Request();
  client.connect(broker.frontendEndpoint!);
  let count = 0;
  for (let i = 0; i < REQUESTS; i++) {
    await client.send("hello");
    const [reply] = await client.receive();
    if (reply.toString() === "HELLO") count++;
  }
  await client.close();
  return count;
}

const counts = await Promise.all(Array.from({ length: CLIENTS }, ask));
const answered = counts.reduce((sum, count) => sum + count);
console.log(`${CLIENTS} clients had ${answered} answers to ${CLIENTS * REQUESTS} requests`);
for (const [i, ms] of SPEEDS.entries()) {
  console.log(`the worker that takes ${ms} ms did ${workers[i].stats().replies} of them`);
}

await Promise.all(workers.map((worker) => worker.close()));
await broker.close();
