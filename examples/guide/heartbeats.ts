/**
 * Is anybody there? Ping-pong heartbeats between a ROUTER and its DEALERs.
 *
 * Three clients say a word now and then. When nothing else was said for a while, one side sends a
 * ping and the other answers; the application never sees any of it. One client falls silent without
 * a farewell: its socket stays connected, but nobody answers the pings. The server notices, and
 * the client is found again when it says something.
 *
 *   deno run --allow-net examples/guide/heartbeats.ts
 *
 * or the same with `bun` or `node`. After the chapter on heartbeats of the ZeroMQ guide.
 *
 * @module
 */

import { Dealer, Router } from "../../mod.ts";
import { DealerHeartbeat, RouterHeartbeat } from "../../src/patterns/mod.ts";
import { sleep } from "./program.ts";

const BEATS = { heartbeatInterval: 60, heartbeatLiveness: 5 };

const server = new RouterHeartbeat(new Router(), BEATS);
await server.socket.bind("tcp://127.0.0.1:*");
const address = server.socket.lastEndpoint!;

const lost = new Promise<void>((resolve) => {
  server.events.on("found", ({ id }) => console.log(`server: ${id} is there`));
  server.events.on("lost", ({ id }) => {
    console.log(`server: ${id} is silent`);
    resolve();
  });
});

async function answer(): Promise<void> {
  for await (const [id, text] of server) await server.send([id, `${text}, ${id}`]);
}

function connect(routingId: string): Dealer {
  const dealer = new Dealer({ routingId, linger: 0 });
  dealer.connect(address);
  return dealer;
}

const answering = answer();
const clients = ["Ada", "Ben"].map((name) => new DealerHeartbeat(connect(name), BEATS));
const mute = connect("Cleo"); // it has no heartbeats, and answers none
for (const client of clients) {
  await client.send("hello");
  console.log(`client: ${await client.receive()}`);
}
await mute.send("hello");

await lost;
await mute.send("hello again");
await sleep(100);
console.log(`server: there are ${server.peers().map(({ id }) => String(id)).sort().join(", ")}`);

const { pingsIn, pingsOut, pongsIn } = server.stats();
console.log(`server: ${pingsIn > 0 ? "answered" : "heard no"} pings of others`);
console.log(`server: ${pongsIn <= pingsOut ? "no pong" : "a pong"} came without a ping`);
let gone = 0;
for (const client of clients) client.events.on("lost", () => gone++);
await server.close();
await answering;
while (gone < clients.length) await sleep(10);
console.log(`clients: the server is gone, say ${gone} of ${clients.length}`);

await mute.close();
for (const client of clients) await client.close();
