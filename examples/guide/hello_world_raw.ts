/**
 * Hello World by hand: what REQ and REP do with envelopes.
 *
 * A REQ puts an empty frame before its request and takes it off the reply; a ROUTER puts the
 * sender's id before what it receives and sends to the id that comes first. So a DEALER that writes
 * the empty frame itself is a REQ that may ask many times at once, and a ROUTER that keeps what is
 * before the empty frame is a REP that may answer late, or in any order. All of them understand
 * each other.
 *
 *   deno run --allow-net examples/guide/hello_world_raw.ts
 *
 * or the same with `bun` or `node`. After hwserver2 to 4 and hwclient2 to 4 of the ZeroMQ guide.
 *
 * @module
 */

import { Dealer, type Frame, Reply, Request, Router } from "../../mod.ts";

const show = (frames: Frame[]): string => frames.map((frame) => `[${frame}]`).join(" ");

/** Splits a message: the envelope with its empty frame, and what is inside. */
function open(message: Frame[]): { envelope: Frame[]; body: Frame[] } {
  const end = message.findIndex((frame) => frame.length === 0) + 1;
  return { envelope: message.slice(0, end), body: message.slice(end) };
}

/** A server that takes envelopes apart; it collects two requests and answers the last one first. */
async function serveByHand(server: Router): Promise<void> {
  for (;;) {
    const requests = [await server.receive(), await server.receive()];
    for (const request of requests) console.log(`ROUTER received ${show(request)}`);
    for (const { envelope, body } of requests.map(open).reverse()) {
      await server.send([...envelope, `${body.join(" ")} World`]);
    }
    if (requests.some((request) => open(request).body.join() === "Goodbye")) return;
  }
}

/** A server that sees nothing of the envelopes. */
async function serve(server: Reply): Promise<void> {
  for await (const request of server) {
    console.log(`REP received ${show(request)}`);
    await server.send(`${request} World`);
  }
}

const byHand = new Router();
await byHand.bind("tcp://127.0.0.1:*");
const plain = new Reply();
await plain.bind("tcp://127.0.0.1:*");
const serving = [serveByHand(byHand), serve(plain)];

// Two requests under way at once, which a REQ cannot have.
const dealer = new Dealer({ routingId: "dealer" });
dealer.connect(byHand.lastEndpoint!);
await dealer.send(["", "Hello"]);
await dealer.send(["", "Howdy"]);
for (let replies = 0; replies < 2; replies++) {
  console.log(`DEALER received ${show(await dealer.receive())}`);
}

// The same to a REP: nothing changes for either.
dealer.disconnect(byHand.lastEndpoint!);
dealer.connect(plain.lastEndpoint!);
await dealer.send(["", "Hi"]);
console.log(`DEALER received ${show(await dealer.receive())}`);

// And two REQs at the ROUTER: they never see the envelope.
const clients = ["Ada", "Ben"].map((routingId) => new Request({ routingId }));
const greetings = ["Hello", "Goodbye"];
for (const [index, client] of clients.entries()) {
  client.connect(byHand.lastEndpoint!);
  await client.send(greetings[index]);
}
for (const client of clients) console.log(`REQ received ${show(await client.receive())}`);

await Promise.all([byHand, plain, dealer, ...clients].map((socket) => socket.close()));
await Promise.all(serving);
