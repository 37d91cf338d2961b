/**
 * A load-balancing broker on raw sockets: each request goes to the worker that has waited longest.
 *
 * Clients and workers are REQ sockets, the broker a ROUTER for each. A worker reports that it is
 * ready, and each of its replies says so again. The broker polls the back end always, but the front
 * end only while a worker is free: requests that nobody can take wait where they are, and slow
 * their clients down. A message is an array of frames, so envelopes are opened and closed by `[…]`.
 *
 *   deno run --allow-net examples/guide/load_balancer_poll.ts
 *
 * or the same with `bun` or `node`. After lbbroker and lbbroker2 of the ZeroMQ guide;
 * `load_balancer_loops.ts` is the same without `poll`, `load_balancer.ts` the library's broker.
 *
 * @module
 */

import { type Frame, poll, Request, Router } from "../../mod.ts";
import { sleep } from "./program.ts";

const CLIENTS = 10;
const REQUESTS = 3;
const WORK_MS = { hare: 5, horse: 10, tortoise: 80 };
const TICK_MS = 50;

/** Asks a few times; how often the reply was right. */
async function ask(name: string, address: string): Promise<number> {
  const client = new Request();
  client.connect(address);
  let right = 0;
  for (let number = 1; number <= REQUESTS; number++) {
    await client.send(`${name}, ${number}`);
    const [reply] = await client.receive();
    if (reply.toString() === `done: ${name}, ${number}`) right++;
  }
  await client.close();
  return right;
}

/** Works until it is told to stop. */
async function work(name: string, address: string, ms: number): Promise<void> {
  const worker = new Request({ routingId: name });
  worker.connect(address);
  await worker.send("ready");
  let tasks = 0;
  for (;;) {
    const [client, empty, task] = await worker.receive();
    if (task === undefined) break; // a message without a client: stop
    await sleep(ms); // the work
    await worker.send([client, empty, `done: ${task}`]);
    tasks++;
  }
  console.log(`${name} answered ${tasks} requests`);
  await worker.close();
}

/** Passes requests to free workers and replies to clients, until all are free and nobody asks. */
async function balance(front: Router, back: Router, stop: AbortSignal): Promise<void> {
  const free: Frame[] = [];
  while (!stop.aborted || free.length < names.length) {
    const sockets = free.length > 0 ? [back, front] : [back];
    for (const { socket } of await poll(sockets, { timeout: TICK_MS })) {
      if (socket === back) {
        const [worker, , ...reply] = await back.receive();
        free.push(worker);
        if (reply.length > 1) await front.send(reply); // not "ready": client, empty frame, reply
      } else {
        await back.send([free.shift()!, "", ...await front.receive()]);
      }
    }
  }
  for (const worker of free) await back.send([worker, "", "stop"]);
}

const front = new Router();
await front.bind("tcp://127.0.0.1:*");
const back = new Router();
await back.bind("tcp://127.0.0.1:*");
const names = Object.entries(WORK_MS);
const working = names.map(([name, ms]) => work(name, back.lastEndpoint!, ms));
const stop = new AbortController();
const balancing = balance(front, back, stop.signal);

const asking = Array.from({ length: CLIENTS }, (_, index) => ask(`${index}`, front.lastEndpoint!));
const right = (await Promise.all(asking)).reduce((sum, count) => sum + count);
stop.abort();
await balancing;
await Promise.all(working);
console.log(`${right} of ${CLIENTS * REQUESTS} replies were right`);
await Promise.all([front.close(), back.close()]);
