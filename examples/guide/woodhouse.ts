/**
 * Woodhouse: who may come in is decided by a password.
 *
 * The server is a PLAIN server, and its clients say a name and a password. An `Authenticator` knows
 * which are right; without one a PLAIN server lets nobody in. What a peer said of itself goes along
 * with its messages as `metadataOf(message).userId`. Name, password and messages can be read on the
 * wire: this is for networks where nobody listens.
 *
 *   deno run --allow-net examples/guide/woodhouse.ts
 *
 * or the same with `bun` or `node`. After woodhouse of "Using ZeroMQ Security", by the guide's
 * author, between strawhouse and stonehouse.
 *
 * @module
 */

import { Authenticator, metadataOf, Reply, Request } from "../../mod.ts";

/** Answers whoever is let in, until the house is closed. */
async function receiveGuests(house: Reply): Promise<void> {
  for await (const message of house) {
    await house.send(`welcome, ${metadataOf(message)?.userId}`); // the name that was checked
  }
}

/** Knocks, and tells what happened. */
async function knock(name: string, password: string, address: string): Promise<void> {
  const visitor = new Request({ linger: 0, plainUsername: name, plainPassword: password });
  const refusal = new Promise<string>((resolve) => {
    visitor.events.on("handshake:error:auth", ({ error }) => resolve(`refused, ${error.status}`));
  });
  visitor.connect(address);
  await visitor.send("knock, knock");
  const answer = visitor.receive().then(([words]) => words.toString());
  console.log(`${name} with "${password}": ${await Promise.race([answer, refusal])}`);
  await visitor.close();
}

const authenticator = new Authenticator({ plain: { pig: "clover", hen: "barley" } });
const house = new Reply({ plainServer: true, zapDomain: "wood", attachMetadata: true });
await house.bind("tcp://127.0.0.1:*");
const receiving = receiveGuests(house);
const address = house.lastEndpoint!;

await knock("pig", "clover", address);
await knock("hen", "barley", address);
await knock("pig", "open up", address);
await knock("wolf", "clover", address);

const { accepted, denied } = authenticator.stats();
console.log(`${accepted} let in, ${denied} refused`);
await house.close();
await receiving;
await authenticator.close();
