/**
 * Lazy Pirate: a client that does not rely on its server.
 *
 * The server is a plain REP socket. First it is too slow, then it is stopped and started again, and
 * in the end it crashes for good. The client waits for each reply for a while, asks again over a
 * fresh socket, and gives up after three tries. An answer that comes late is never taken for the
 * answer to something else.
 *
 *   deno run --allow-net examples/guide/lazy_pirate.ts
 *
 * or the same with `bun` or `node`. After lpclient and lpserver of the ZeroMQ guide.
 *
 * @module
 */

import { Reply, type ZmqError } from "../../mod.ts";
import { LazyPirateClient } from "../../src/patterns/mod.ts";
import { sleep } from "./program.ts";

const TIMEOUT_MS = 400;

/** Answers until it is closed; what it does with its third request is up to `trouble`. */
async function serve(server: Reply, trouble: (server: Reply) => Promise<void>): Promise<void> {
  let count = 0;
  for await (const [question] of server) {
    if (++count === 3) await trouble(server);
    if (server.closed) return;
    await server.send(`${question}, aye`);
  }
}

async function overload(): Promise<void> {
  console.log("server: too much to do");
  await sleep(1.5 * TIMEOUT_MS);
}

async function crash(server: Reply): Promise<void> {
  console.log("server: crashes");
  await server.close();
}

const first = new Reply({ linger: 0 });
await first.bind("tcp://127.0.0.1:*");
const endpoint = first.lastEndpoint!;
const client = new LazyPirateClient({ endpoint, timeout: TIMEOUT_MS, retries: 2 });
client.events.on("retry", ({ attempt }) => console.log(`client: no reply to try ${attempt}`));

async function ask(question: string): Promise<void> {
  try {
    const [answer] = await client.request(question);
    console.log(`client: ${answer}`);
  } catch (error) {
    console.log(`client: gives up: ${(error as ZmqError).code}`);
  }
}

const overloaded = serve(first, overload);
for (const question of ["hoist the sails", "man the guns", "swab the deck"]) await ask(question);
await first.close();
await overloaded;
console.log("server: stopped");

const second = new Reply({ linger: 0 });
await second.bind(endpoint);
console.log("server: started again, at the same address");
const crashing = serve(second, crash);
for (const question of ["drop the anchor", "count the gold", "share the gold"]) {
  await ask(question);
}
await crashing;

const { replies, failures } = client.stats();
console.log(`${replies} of ${replies + failures} questions were answered`);
await client.close();
