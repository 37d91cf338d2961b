/**
 * A server with a pool of workers behind it.
 *
 * Clients send requests to a ROUTER over tcp; a proxy passes them to a DEALER, which gives them to
 * the workers over inproc in turn, and brings the replies back. The server's address stays the same
 * however many workers there are, and a worker is a plain REP socket: behind `tcp://` or `ipc://`
 * the same worker is a process of its own.
 *
 *   deno run --allow-net examples/guide/worker_pool.ts
 *
 * or the same with `bun` or `node`. After mtserver of the ZeroMQ guide.
 *
 * @module
 */

import { Dealer, Proxy, Reply, Request, Router } from "../../mod.ts";
import { sleep } from "./program.ts";

const WORKERS = 4;
const CLIENTS = 10;
const WORK_MS = 50;

/** Answers until it is closed; how many answers that were. */
async function work(worker: Reply): Promise<number> {
  worker.connect("inproc://workers");
  let answers = 0;
  for await (const [question] of worker) {
    await sleep(WORK_MS); // something that takes time, and does not keep others from theirs
    await worker.send(`${question} world`);
    answers++;
  }
  return answers;
}

async function ask(address: string): Promise<string> {
  const client = new Request();
  client.connect(address);
  await client.send("hello");
  const [answer] = await client.receive();
  await client.close();
  return answer.toString();
}

const workers = Array.from({ length: WORKERS }, () => new Reply());
const working = workers.map(work);

const clients = new Router();
await clients.bind("tcp://127.0.0.1:*");
const pool = new Dealer();
await pool.bind("inproc://workers");
const address = clients.lastEndpoint!;
const proxy = new Proxy(clients, pool);
const running = proxy.run();

const start = performance.now();
const answers = await Promise.all(Array.from({ length: CLIENTS }, () => ask(address)));
const rounds = (performance.now() - start) / WORK_MS;
const count = answers.filter((answer) => answer === "hello world").length;
console.log(
  `${count} of ${CLIENTS} clients were answered, in the time of ${Math.floor(rounds)} answers`,
);

await Promise.all(workers.map((worker) => worker.close()));
console.log(`the workers answered ${(await Promise.all(working)).join(", ")}`);
proxy.terminate(); // closes both of its sockets
await running;
