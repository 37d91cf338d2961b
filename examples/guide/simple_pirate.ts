/**
 * Simple Pirate: Lazy Pirate clients, a queue, and workers that ask for work.
 *
 * The queue is a load-balancing broker: it knows who is free because each worker says so, and who
 * is free for longest comes first. A worker that dies takes its request with it; the client asks
 * again, and another worker answers. The queue finds out when it has something for the dead one.
 *
 *   deno run --allow-net examples/guide/simple_pirate.ts
 *
 * or the same with `bun` or `node`. After spqueue and spworker of the ZeroMQ guide.
 *
 * @module
 */

import {
  LazyPirateClient,
  LoadBalancingBroker,
  SimplePirateWorker,
} from "../../src/patterns/mod.ts";
import { sleep } from "./program.ts";

const WORK_MS = 20;
const CLIENTS = 4;
const REQUESTS = 10;

const queue = new LoadBalancingBroker();
await queue.bind("tcp://127.0.0.1:*", "tcp://127.0.0.1:*");
queue.events.on("lost", () => console.log("queue: a worker is gone"));

/** A worker that, if it is told to, dies over one of its requests. */
function hire(name: string, last = Infinity): SimplePirateWorker {
  let count = 0;
  const worker = new SimplePirateWorker({
    handler: async ([request]) => {
      if (++count === last) {
        console.log(`${name}: dies over "${request}"`);
        await worker.close();
      }
      await sleep(WORK_MS);
      return `${request}, done by ${name}`;
    },
  });
  worker.connect(queue.backendEndpoint!);
  return worker;
}

const workers = [hire("Anne"), hire("Bart"), hire("Calico", 5)];

async function ask(name: string): Promise<void> {
  const client = new LazyPirateClient({ endpoint: queue.frontendEndpoint!, timeout: 500 });
  client.events.on("retry", () => console.log(`${name}: no reply, asks again`));
  for (let number = 1; number <= REQUESTS; number++) {
    const [reply] = await client.request(`job ${number} of ${name}`);
    if (number === REQUESTS) console.log(`${name}: ${reply}`);
  }
  await client.close();
}

const clients = Array.from({ length: CLIENTS }, (_, i) => ask(`client ${i + 1}`));
await Promise.all(clients);
const { requests, replies } = queue.stats();
console.log(`${requests} requests went to workers, ${replies} replies came back`);

await Promise.all(workers.map((worker) => worker.close()));
await queue.close();
