/**
 * Ironhouse: nobody can listen, and only those come in who are known.
 *
 * Like stonehouse, and the server knows the public keys of its clients: a client proves that it has
 * the secret key that belongs to its public one, and an `Authenticator` decides about the public
 * one. Who it was goes along with the messages as `metadataOf(message).userId`. A client that is
 * added to the list is let in from then on; nothing has to be restarted.
 *
 *   deno run --allow-net examples/guide/ironhouse.ts
 *
 * or the same with `bun` or `node`. After ironhouse of "Using ZeroMQ Security", by the guide's
 * author.
 *
 * @module
 */

import {
  Authenticator,
  type CurveKeyPair,
  curveKeyPair,
  metadataOf,
  Reply,
  Request,
} from "../../mod.ts";

/** Answers whoever is let in, until the house is closed. */
async function receiveGuests(house: Reply): Promise<void> {
  for await (const message of house) {
    await house.send(`welcome, ${metadataOf(message)?.userId}`); // who it is by its key
  }
}

/** Knocks, and tells what happened. */
async function knock(name: string, keys: CurveKeyPair, address: string): Promise<void> {
  const visitor = new Request({
    linger: 0,
    curveServerKey: houseKeys.publicKey,
    curvePublicKey: keys.publicKey,
    curveSecretKey: keys.secretKey,
  });
  const refusal = new Promise<string>((resolve) => {
    visitor.events.on("handshake:error:auth", ({ error }) => resolve(`refused, ${error.status}`));
  });
  visitor.connect(address);
  await visitor.send("knock, knock");
  const answer = visitor.receive().then(([words]) => words.toString());
  console.log(`${name}: ${await Promise.race([answer, refusal])}`);
  await visitor.close();
}

// In real life each makes its own keys, and gives away the public one only.
const houseKeys = curveKeyPair();
const pig = curveKeyPair();
const hen = curveKeyPair();
const wolf = curveKeyPair();

const guests = new Map([[pig.publicKey, "pig"]]);
const authenticator = new Authenticator({
  curve(publicKey) {
    const userId = guests.get(publicKey);
    return userId === undefined ? false : { userId };
  },
});
const house = new Reply({
  curveServer: true,
  curveSecretKey: houseKeys.secretKey,
  zapDomain: "iron",
  zapEnforceDomain: true, // nobody comes in while there is no Authenticator
  attachMetadata: true,
});
await house.bind("tcp://127.0.0.1:*");
const receiving = receiveGuests(house);
const address = house.lastEndpoint!;

await knock("pig", pig, address);
await knock("hen", hen, address);
guests.set(hen.publicKey, "hen");
await knock("hen", hen, address);
await knock("wolf", wolf, address);

const { accepted, denied } = authenticator.stats();
console.log(`${accepted} let in, ${denied} refused`);
await house.close();
await receiving;
await authenticator.close();
