/**
 * The load-balancing broker as a reactor: who has a message is called, and nobody polls.
 *
 * The guide's reactor keeps a list of sockets and handlers. Here the runtime's event loop is the
 * reactor, and a `for await` loop is a handler: one for the workers, one for the clients. While no
 * worker is free, the clients' loop waits for the next one, and the clients' requests with it.
 *
 *   deno run --allow-net examples/guide/load_balancer_loops.ts
 *
 * or the same with `bun` or `node`. After lbbroker3 of the ZeroMQ guide; `load_balancer_poll.ts` is
 * the same with `poll`, `load_balancer.ts` the library's broker.
 *
 * @module
 */

import { type Frame, Request, Router } from "../../mod.ts";
import { sleep } from "./program.ts";

const CLIENTS = 10;
const REQUESTS = 3;
const WORKERS = 3;
const WORK_MS = 10;

/** Workers that wait for work, and work that waits for workers. */
class FreeWorkers {
  readonly #free: Frame[] = [];
  readonly #waiting: ((worker: Frame) => void)[] = [];

  add(worker: Frame): void {
    const take = this.#waiting.shift();
    if (take) take(worker);
    else this.#free.push(worker);
  }

  /** The worker that has waited longest; waits for one. */
  next(): Frame | Promise<Frame> {
    return this.#free.shift() ?? new Promise((resolve) => this.#waiting.push(resolve));
  }
}

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

/** Works until it is closed; how many requests that were. */
async function work(worker: Request): Promise<number> {
  await worker.send("ready");
  let requests = 0;
  for await (const [client, empty, request] of worker) {
    await sleep(WORK_MS); // the work
    await worker.send([client, empty, `done: ${request}`]);
    requests++;
  }
  return requests;
}

const front = new Router();
await front.bind("tcp://127.0.0.1:*");
const back = new Router();
await back.bind("tcp://127.0.0.1:*");
const free = new FreeWorkers();

async function handleWorkers(): Promise<void> {
  for await (const [worker, , ...reply] of back) {
    free.add(worker);
    if (reply.length > 1) await front.send(reply); // not "ready": client, empty frame, reply
  }
}

async function handleClients(): Promise<void> {
  for await (const request of front) await back.send([await free.next(), "", ...request]);
}

const handling = [handleWorkers(), handleClients()];
const workers = Array.from({ length: WORKERS }, () => new Request());
for (const worker of workers) worker.connect(back.lastEndpoint!);
const working = workers.map(work);

const asking = Array.from({ length: CLIENTS }, (_, index) => ask(`${index}`, front.lastEndpoint!));
const right = (await Promise.all(asking)).reduce((sum, count) => sum + count);
console.log(`${right} of ${CLIENTS * REQUESTS} replies were right`);

await Promise.all([front, back, ...workers].map((socket) => socket.close()));
await Promise.all(handling);
console.log(`the workers answered ${(await Promise.all(working)).join(", ")}`);
