/**
 * A server with real threads: Workers that calculate at the same time.
 *
 * Everything in the other programs runs on one thread, which is enough for waiting but not for
 * calculating. Here each worker is a thread of its own with sockets of its own. A context, and with
 * it inproc, belongs to one thread, since threads of JavaScript share no objects: between them, as
 * between processes, messages go over tcp or ipc, and the worker's code is the same for both.
 * Clients see nothing of all this: they ask a ROUTER, and a DEALER gives each request to the next
 * worker.
 *
 *   deno run --allow-net --allow-read examples/guide/threads.ts
 *
 * or the same with `bun` or `node`. After mtserver of the ZeroMQ guide; `worker_pool.ts` is its
 * sibling on one thread, with inproc.
 *
 * @module
 */

import { isMainThread, parentPort, threadId, Worker, workerData } from "node:worker_threads";
import { Dealer, Proxy, Reply, Request, Router } from "../../mod.ts";

const WORKERS = 3;
const CLIENTS = 6;
const UP_TO = 200_000;

/** How many primes there are up to a number: something that keeps a thread busy. */
function countPrimes(upTo: number): number {
  let count = 0;
  for (let number = 2; number <= upTo; number++) {
    let divisor = 2;
    while (divisor * divisor <= number && number % divisor !== 0) divisor++;
    if (divisor * divisor > number) count++;
  }
  return count;
}

/** A thread: answers until the main thread has it end. */
async function work(address: string): Promise<void> {
  const worker = new Reply();
  worker.connect(address);
  parentPort!.once("message", () => worker.close()); // ends the loop, and with it the thread
  for await (const [number] of worker) {
    await worker.send([countPrimes(Number(number.toString())), threadId]);
  }
}

/** Asks once; which thread answered. */
async function ask(name: number, address: string): Promise<string> {
  const client = new Request();
  client.connect(address);
  await client.send(UP_TO + name);
  const [primes, thread] = await client.receive();
  console.log(`client ${name}: ${primes} primes up to ${UP_TO + name}`);
  await client.close();
  return thread.toString();
}

async function main(): Promise<void> {
  const clients = new Router();
  await clients.bind("tcp://127.0.0.1:*");
  const pool = new Dealer();
  await pool.bind("tcp://127.0.0.1:*");
  const [front, back] = [clients.lastEndpoint!, pool.lastEndpoint!];
  const threads = Array.from(
    { length: WORKERS },
    () => new Worker(new URL(import.meta.url), { workerData: back }),
  );
  for (const thread of threads) thread.once("error", (error) => Promise.reject(error));
  while (pool.stats().peers.filter((peer) => peer.connected).length < WORKERS) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }

  const proxy = new Proxy(clients, pool);
  const running = proxy.run();
  const answered = await Promise.all(
    Array.from({ length: CLIENTS }, (_, name) => ask(name, front)),
  );
  console.log(`${new Set(answered).size} threads answered ${answered.length} clients`);

  const ended = threads.map((thread) => new Promise((resolve) => thread.once("exit", resolve)));
  for (const thread of threads) thread.postMessage("end");
  await Promise.all(ended);
  proxy.terminate(); // closes both of its sockets
  await running;
  console.log("all threads have ended");
}

await (isMainThread ? main() : work(workerData));
