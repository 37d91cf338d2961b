/**
 * A handler for each request: the slow ones keep nobody waiting.
 *
 * The guide's server starts a thread for each request, and the threads hand their replies to the
 * one socket through inproc. Here a handler is an async function: all of them may use the ROUTER,
 * because there is only one thread. Replies go out in the order in which they are ready, each to
 * the client whose envelope it carries. How many handlers run at a time has a limit; further
 * requests wait unread.
 *
 *   deno run --allow-net examples/guide/request_handlers.ts
 *
 * or the same with `bun` or `node`. After asyncrrhandlers of the guide's Python examples.
 *
 * @module
 */

import { type Frame, Request, Router } from "../../mod.ts";
import { sleep } from "./program.ts";

const SLOW_MS = 200;
const CLIENTS = { Ada: SLOW_MS, Ben: 1, Cleo: SLOW_MS / 2, Dora: 1, Emil: SLOW_MS / 2 };
const MOST_HANDLERS = 4;

/** Starts a handler for each request, until the socket is closed; how many ran at a time at most. */
async function serve(server: Router): Promise<number> {
  const running = new Set<Promise<void>>();
  let most = 0;
  for await (const [client, empty, request] of server) {
    const handler = handle(server, [client, empty], request);
    running.add(handler);
    handler.finally(() => running.delete(handler));
    most = Math.max(most, running.size);
    if (running.size === MOST_HANDLERS) await Promise.race(running);
  }
  return most;
}

/** Works as long as the request says, and answers it. */
async function handle(server: Router, envelope: Frame[], request: Frame): Promise<void> {
  const { name, ms } = request.json<{ name: string; ms: number }>();
  await sleep(ms); // the work
  await server.send([...envelope, `${name}, it took ${ms} ms`]);
}

/** Asks once. */
async function ask(name: string, ms: number, address: string): Promise<void> {
  const client = new Request({ routingId: name });
  client.connect(address);
  await client.send(JSON.stringify({ name, ms }));
  const [reply] = await client.receive();
  console.log(`${reply}`);
  await client.close();
}

const server = new Router();
await server.bind("tcp://127.0.0.1:*");
const serving = serve(server);
const address = server.lastEndpoint!;
await Promise.all(Object.entries(CLIENTS).map(([name, ms]) => ask(name, ms, address)));

await server.close();
console.log(`at most ${await serving} handlers ran at a time`);
