/**
 * A shared queue between clients and services, by hand.
 *
 * Clients know one address, services another, and neither knows how many there are of the other.
 * The queue passes requests from its ROUTER, which remembers whose they are by an envelope, to its
 * DEALER, which gives them to the services in turn, and replies back: one loop for each direction.
 * A `send` that has to wait for room makes its loop wait, so a slow side slows the other down.
 *
 *   deno run --allow-net examples/guide/shared_queue.ts
 *
 * or the same with `bun` or `node`. After rrclient, rrbroker and rrworker of the ZeroMQ guide.
 *
 * @module
 */

import { Dealer, Reply, Request, Router } from "../../mod.ts";

const CLIENTS = ["Ada", "Ben", "Cleo"];
const SERVICES = ["first", "second"];
const REQUESTS = 4;

/** Asks a few times. */
async function ask(name: string, address: string): Promise<void> {
  const client = new Request();
  client.connect(address);
  for (let number = 1; number <= REQUESTS; number++) {
    await client.send(`${name} ${number}`);
    const [reply] = await client.receive();
    console.log(`${name} ${number}: ${reply}`);
  }
  await client.close();
}

/** Answers until it is closed. */
async function serve(name: string, service: Reply): Promise<void> {
  for await (const [request] of service) await service.send(`${name} service did ${request}`);
}

/** Passes messages on, envelopes and all, until a socket is closed. */
async function forward(from: Router | Dealer, to: Router | Dealer): Promise<number> {
  let messages = 0;
  for await (const message of from) {
    await to.send(message);
    messages++;
  }
  return messages;
}

const clients = new Router();
await clients.bind("tcp://127.0.0.1:*");
const services = new Dealer();
await services.bind("tcp://127.0.0.1:*");
const forwarding = [forward(clients, services), forward(services, clients)];

const replies = SERVICES.map(() => new Reply());
const serving = SERVICES.map((name, index) => {
  replies[index].connect(services.lastEndpoint!);
  return serve(name, replies[index]);
});
await Promise.all(CLIENTS.map((name) => ask(name, clients.lastEndpoint!)));

await Promise.all([clients, services, ...replies].map((socket) => socket.close()));
const [requests, answers] = await Promise.all(forwarding);
await Promise.all(serving);
console.log(`the queue passed on ${requests} requests and ${answers} replies`);
