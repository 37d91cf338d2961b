/**
 * Strawhouse: who may come in is decided by the address.
 *
 * Nothing is encrypted and nobody has a password: an `Authenticator` looks where each client calls
 * from, and lets it in or not. A server that has a `zapDomain` asks it. That keeps out whoever is
 * not meant to be there, and nobody who is clever: on the wire everything can be read.
 *
 *   deno run --allow-net examples/guide/strawhouse.ts
 *
 * or the same with `bun` or `node`. After strawhouse of "Using ZeroMQ Security", by the guide's
 * author; the next one is woodhouse.
 *
 * @module
 */

import { Authenticator, Reply, Request } from "../../mod.ts";

/** Answers whoever is let in, until the house is closed. */
async function receiveGuests(house: Reply): Promise<void> {
  for await (const [guest] of house) await house.send(`welcome, ${guest}`);
}

/** Knocks, and tells what happened. */
async function knock(name: string, address: string): Promise<void> {
  const visitor = new Request({ linger: 0 });
  const refusal = new Promise<string>((resolve) => {
    visitor.events.on("handshake:error:auth", ({ error }) => resolve(`refused, ${error.status}`));
  });
  visitor.connect(address);
  await visitor.send(name);
  const answer = visitor.receive().then(([words]) => words.toString());
  console.log(`${name}: ${await Promise.race([answer, refusal])}`);
  await visitor.close();
}

const authenticator = new Authenticator({ allow: ["127.0.0.0/8", "10.0.0.0/8"] });
const house = new Reply({ zapDomain: "straw" }); // without a domain nobody is asked
await house.bind("tcp://127.0.0.1:*");
const receiving = receiveGuests(house);
const address = house.lastEndpoint!;

await knock("pig", address);
authenticator.configure({ deny: "127.0.0.1" }); // from now on; those inside may stay
await knock("wolf", address);

const { accepted, denied } = authenticator.stats();
console.log(`${accepted} let in, ${denied} refused`);
await house.close();
await receiving;
await authenticator.close();
