/**
 * Freelance, model one: a list of servers, asked one after the other.
 *
 * No broker: the client knows the servers. It asks the first, and when no reply comes in time the next, each time with a fresh
 * REQ socket; servers are plain REP sockets. Simple, and slow while a server is dead: every client waits once for each server
 * that does not answer.
 *
 *   deno run --allow-net examples/guide/freelance_failover.ts
 *
 * or the same with `bun` or `node`. After flclient1 and flserver1 of the ZeroMQ guide.
 *
 * @module
 */

import { Reply } from "../../mod.ts";
import { FailoverClient } from "../../src/patterns/mod.ts";

const TIMEOUT_MS = 600;

/** A server: it does its work, and replies. */
async function serve(name: string, socket: Reply): Promise<void> {
  for await (const [request] of socket) await socket.send(`${name} did ${request}`);
}

const servers = new Map<string, Reply>();
const serving: Promise<void>[] = [];
for (const name of ["A", "B"]) {
  const socket = new Reply();
  await socket.bind("tcp://127.0.0.1:*");
  servers.set(name, socket);
  serving.push(serve(name, socket));
}
const nameOf = (endpoint: string): string =>
  [...servers].find(([, socket]) => socket.lastEndpoint === endpoint)![0];

const client = new FailoverClient({
  servers: Array.from(servers.values(), (socket) => socket.lastEndpoint!),
  timeout: TIMEOUT_MS,
});
client.events.on("silent", ({ endpoint }) => console.log(`no reply from ${nameOf(endpoint)}`));

async function ask(text: string): Promise<void> {
  try {
    const [reply] = await client.request(text);
    console.log(`${reply}`);
  } catch (error) {
    console.log(`${text}: ${(error as { code?: string }).code}`);
  }
}

await ask("task 1");
await servers.get("A")!.close();
await ask("task 2"); // waits for A in vain
await ask("task 3"); // B has answered, so it is asked first now
await servers.get("B")!.close();
await ask("task 4"); // nobody is left

await client.close();
await Promise.all(serving);
