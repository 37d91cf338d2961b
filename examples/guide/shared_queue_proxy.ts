/**
 * The shared queue again, with the built-in proxy.
 *
 * `Proxy` is the two loops of `shared_queue.ts`, only faster: it moves whole messages from socket
 * to socket without making frames of them, counts them, and can be paused. ROUTER and DEALER make
 * it a queue, XSUB and XPUB a forwarder (`weather_proxy.ts`), PULL and PUSH a streamer.
 *
 *   deno run --allow-net examples/guide/shared_queue_proxy.ts
 *
 * or the same with `bun` or `node`. After msgqueue of the ZeroMQ guide.
 *
 * @module
 */

import { Dealer, Proxy, Reply, Request, Router } from "../../mod.ts";

const CLIENTS = 10;
const SERVICES = 3;
const REQUESTS = 20;

/** Asks a few times; how often the reply was right. */
async function ask(name: string, address: string): Promise<number> {
  const client = new Request();
  client.connect(address);
  let right = 0;
  for (let number = 1; number <= REQUESTS; number++) {
    await client.send(`${name}, request ${number}`);
    const [reply] = await client.receive();
    if (reply.toString() === `done: ${name}, request ${number}`) right++;
  }
  await client.close();
  return right;
}

/** Answers until it is closed. */
async function serve(service: Reply): Promise<void> {
  for await (const [request] of service) await service.send(`done: ${request}`);
}

const clients = new Router();
await clients.bind("tcp://127.0.0.1:*");
const services = new Dealer();
await services.bind("tcp://127.0.0.1:*");
const [front, back] = [clients.lastEndpoint!, services.lastEndpoint!];
const proxy = new Proxy(clients, services);
const running = proxy.run();

const replies = Array.from({ length: SERVICES }, () => new Reply());
const serving = replies.map((reply) => {
  reply.connect(back);
  return serve(reply);
});
const asking = Array.from({ length: CLIENTS }, (_, index) => ask(`client ${index}`, front));
const right = (await Promise.all(asking)).reduce((sum, count) => sum + count);
console.log(`${right} of ${CLIENTS * REQUESTS} replies were right`);

const { frontEnd, backEnd } = proxy.statistics;
console.log(
  `${frontEnd.messagesIn} requests came in front, ${backEnd.messagesOut} left at the back`,
);
proxy.terminate(); // closes both of its sockets
await running;
await Promise.all(replies.map((reply) => reply.close()));
await Promise.all(serving);
