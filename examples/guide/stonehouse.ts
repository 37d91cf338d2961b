/**
 * Stonehouse: nobody can listen, and everybody knows whom they talk to.
 *
 * The server has a pair of CURVE keys. Its public key is in the hands of all clients: only the
 * owner of the secret one can answer them. What goes over the wire is encrypted, and cannot be
 * altered, repeated, or read by somebody who records it and gets hold of the keys later. The server
 * takes any client, here with keys made on the spot; so it needs no `Authenticator`. One that does
 * not know the server's key gets nowhere: the server does not even answer it.
 *
 *   deno run --allow-net examples/guide/stonehouse.ts
 *
 * or the same with `bun` or `node`. After stonehouse of "Using ZeroMQ Security", by the guide's
 * author, between woodhouse and ironhouse.
 *
 * @module
 */

import { curveKeyPair, Reply, Request } from "../../mod.ts";

/** Answers whoever comes in, until the house is closed. */
async function receiveGuests(house: Reply): Promise<void> {
  for await (const [guest] of house) await house.send(`welcome, ${guest}`);
}

/** Knocks at the door of the server that has this key, and tells what happened. */
async function knock(name: string, serverKey: string, address: string): Promise<void> {
  const { publicKey, secretKey } = curveKeyPair();
  const visitor = new Request({
    linger: 0,
    curveServerKey: serverKey,
    curvePublicKey: publicKey,
    curveSecretKey: secretKey,
  });
  const silence = new Promise<string>((resolve) => {
    visitor.events.once("disconnect", () => resolve("not even an answer"));
  });
  visitor.connect(address);
  await visitor.send(name);
  const answer = visitor.receive().then(([words]) => words.toString());
  console.log(`${name}: ${await Promise.race([answer, silence])}`);
  await visitor.close();
}

const keys = curveKeyPair();
console.log(`the house's public key is ${keys.publicKey}, its secret key is kept secret`);

const house = new Reply({ curveServer: true, curveSecretKey: keys.secretKey });
house.events.on("handshake:error:protocol", ({ error }) => {
  console.log(`the house turned somebody away: ${error.code}`);
});
await house.bind("tcp://127.0.0.1:*");
const receiving = receiveGuests(house);
const address = house.lastEndpoint!;

await knock("pig", keys.publicKey, address);
await knock("hen", keys.publicKey, address);
await knock("wolf", curveKeyPair().publicKey, address); // a guess

await house.close();
await receiving;
