/**
 * Identities: the names by which a ROUTER knows its peers.
 *
 * A ROUTER puts a frame before each message that tells who sent it. A peer that does not name
 * itself gets a name for as long as its connection lasts: an octet 0 and a number. One that has a
 * `routingId` is known by it, before and after a reconnect. Either is good for one thing: to come
 * first in a message that goes back.
 *
 *   deno run --allow-net examples/guide/identity.ts
 *
 * or the same with `bun` or `node`. After identity of the ZeroMQ guide.
 *
 * @module
 */

import { type Frame, Request, Router } from "../../mod.ts";

/** A frame as text where it is text, as octets where it is not. */
function show(frame: Frame): string {
  if (frame.length > 0 && frame[0] === 0) {
    return Array.from(frame, (octet) => octet.toString(16).padStart(2, "0")).join(" ");
  }
  return `"${frame}"`;
}

const router = new Router();
await router.bind("tcp://127.0.0.1:*");

const anonymous = new Request();
anonymous.connect(router.lastEndpoint!);
const named = new Request({ routingId: "PEER2" });
named.connect(router.lastEndpoint!);

await anonymous.send("the ROUTER made up my name");
await named.send("my name is my own");
for (let count = 0; count < 2; count++) {
  const message = await router.receive();
  for (const frame of message) console.log(`[${String(frame.length).padStart(3)}] ${show(frame)}`);
  const [identity] = message;
  await router.send([identity, "", `hello, ${show(identity)}`]);
}
for (const client of [anonymous, named]) console.log(String(await client.receive()));

await Promise.all([router, anonymous, named].map((socket) => socket.close()));
