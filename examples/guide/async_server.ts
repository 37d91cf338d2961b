/**
 * An asynchronous server: any number of requests under way, and any number of replies to each.
 *
 * Clients are DEALERs: they go on asking while earlier requests are still worked on, and take
 * replies as they come. The server's ROUTER knows each client by its name; a proxy hands requests
 * with their envelopes to workers, DEALERs over inproc, which answer each one not at all, once or
 * several times. The client's name comes first in whatever they send, and finds the way back by
 * itself.
 *
 *   deno run --allow-net examples/guide/async_server.ts
 *
 * or the same with `bun` or `node`. After asyncsrv of the ZeroMQ guide.
 *
 * @module
 */

import { Dealer, Proxy, Router } from "../../mod.ts";
import { sleep } from "./program.ts";

const CLIENTS = ["Ada", "Ben", "Cleo"];
const WORKERS = 5;
const REQUESTS = 4;
const PERIOD_MS = 20;
const MOST_REPLIES = 4;

/** Asks again and again and listens meanwhile, until all that it will ever get has come. */
async function ask(name: string, address: string): Promise<void> {
  const client = new Dealer({ routingId: name });
  client.connect(address);
  let replies = 0;
  let finished = 0;

  async function listen(): Promise<void> {
    for await (const [text, last] of client) {
      if (last.toString() === "last") finished++;
      else console.log(`${name} (${++replies}): ${text}`);
      if (finished === REQUESTS) break;
    }
  }

  const listening = listen();
  for (let number = 1; number <= REQUESTS; number++) {
    await client.send(`request ${number}`);
    await sleep(PERIOD_MS);
  }
  await listening;
  console.log(`${name}: ${replies} replies to ${REQUESTS} requests`);
  await client.close();
}

/** Answers each request some times, with a pause before each; then says that this was all. */
async function work(worker: Dealer): Promise<void> {
  for await (const [client, request] of worker) {
    const replies = Math.floor(Math.random() * (MOST_REPLIES + 1));
    for (let number = 1; number <= replies; number++) {
      await sleep(Math.random() * PERIOD_MS);
      await worker.send([client, `reply ${number} to ${request}`, "more"]);
    }
    await worker.send([client, request, "last"]);
  }
}

const clients = new Router();
await clients.bind("tcp://127.0.0.1:*");
const pool = new Dealer();
await pool.bind("inproc://async_server");
const address = clients.lastEndpoint!;
const proxy = new Proxy(clients, pool);
const running = proxy.run();

const workers = Array.from({ length: WORKERS }, () => new Dealer());
for (const worker of workers) worker.connect("inproc://async_server");
const working = workers.map(work);
await Promise.all(CLIENTS.map((name) => ask(name, address)));

await Promise.all(workers.map((worker) => worker.close()));
await Promise.all(working);
proxy.terminate(); // closes both of its sockets
await running;
