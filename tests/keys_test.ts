// CURVE key pairs: curveKeyPair, curvePublicKeyOf and what counts as a key.

import { assert, assertEquals, assertInstanceOf, assertNotEquals } from "@std/assert";
import { afterAll, beforeAll, describe, it } from "@std/testing/bdd";
import { curveKeyPair, curvePublicKeyOf, decodeZ85 } from "../mod.ts";
import { parseCurveKey } from "../src/curve_key.ts";
import { fromHex, textsOf, toHex } from "./_util/bytes.ts";
import { type Peer, startPeer } from "./_util/peer.ts";
import { assertSays, type Failure, failure } from "./_util/rejection.ts";

/** The keys of libzmq's manual, zmq_curve(7): client and server. */
const MANUAL = [
  {
    publicKey: "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID",
    secretKey: "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs",
    publicHex: "bb88471d65e2659b30c55a5321cebb5aab2b70a398645c26dca2b2fcb43fc518",
    secretHex: "7bb864b489afa3671fbe69101f94b38972f24816dfb01b51656b3fec8dfd0888",
  },
  {
    publicKey: "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7",
    secretKey: "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6",
    publicHex: "54fcba24e93249969316fb617c872bb0c1d1ff14800427c594cbfacf1bc2d652",
    secretHex: "8e0bdd697628b91d8f245587ee95c5b04d48963f79259877b49cd9063aead3b7",
  },
];
const SECRET = MANUAL[0].secretKey;

/** The error for a value that is no key. */
function refusal(value: unknown, type: typeof TypeError | typeof RangeError): Failure {
  const error = failure(() => curvePublicKeyOf(value as string), "EINVAL");
  assertInstanceOf(error, type);
  assertSays(error, "secret key of 40 characters of Z85", "32 octets");
  return error;
}

/** Whether two sockets of libzmq understand each other with these keys. */
async function libzmqTakes(
  peer: Peer,
  server: { publicKey: string; secretKey: string },
  client: { publicKey: string; secretKey: string },
): Promise<void> {
  const reply = await peer.open("Reply", {
    curveServer: true,
    curveSecretKey: server.secretKey,
  });
  const request = await peer.open("Request", {
    curveServerKey: server.publicKey,
    curvePublicKey: client.publicKey,
    curveSecretKey: client.secretKey,
  });
  await request.connect(await reply.bind());
  await request.send("hello");
  assertEquals(textsOf(await reply.receive()), ["hello"]);
  await Promise.all([request.close(), reply.close()]);
}

describe("curvePublicKeyOf", () => {
  for (const { publicKey, secretKey, publicHex, secretHex } of MANUAL) {
    it(`gives ${publicKey}, as libzmq's manual says`, () => {
      assertEquals(curvePublicKeyOf(secretKey), publicKey);
      assertEquals(curvePublicKeyOf(fromHex(secretHex)), publicKey);
      assertEquals(toHex(decodeZ85(curvePublicKeyOf(secretKey))), publicHex);
    });
  }

  it("leaves octets as they were, and takes those that are a part of their buffer", () => {
    const buffer = new Uint8Array(50);
    buffer.set(fromHex(MANUAL[0].secretHex), 7);
    const part = buffer.subarray(7, 39);
    assertEquals(curvePublicKeyOf(part), MANUAL[0].publicKey);
    assertEquals(toHex(part), MANUAL[0].secretHex);
  });

  it("refuses a key of another length, and says how long it is", () => {
    assertSays(refusal(SECRET.slice(1), RangeError), "39 characters");
    assertSays(refusal(`${SECRET} `, RangeError), "41 characters");
    assertSays(refusal("", RangeError), "0 characters");
    assertSays(refusal(new Uint8Array(31), RangeError), "31 octets");
    assertSays(refusal(new Uint8Array(40), RangeError), "40 octets");
  });

  it("refuses text that is not Z85", () => {
    // Quotes are none of the 85 characters, and a group of five stands for 32 bits at most.
    assertSays(refusal(SECRET.replace("Q", '"'), RangeError), "not Z85");
    assertSays(refusal(`#####${SECRET.slice(5)}`, RangeError), "not Z85");
  });

  it("refuses what is neither text nor octets", () => {
    const buffer = new ArrayBuffer(32);
    for (const value of [undefined, null, 1, {}, buffer, new Uint16Array(buffer), [SECRET]]) {
      refusal(value, TypeError);
    }
  });

  it("never repeats in an error what may be a secret", () => {
    const wrong = [SECRET.slice(1), `${SECRET}x`, SECRET.replace("Q", '"'), [SECRET]];
    for (const value of wrong) {
      const error = failure(() => curvePublicKeyOf(value as string), "EINVAL");
      const said = [error.message, error.stack, JSON.stringify(error), String(error.cause)].join();
      for (const part of [SECRET.slice(1, 9), SECRET.slice(-8)]) assert(!said.includes(part), said);
    }
  });
});

describe("curveKeyPair", () => {
  it("gives a public key that belongs to the secret one", () => {
    for (let count = 0; count < 20; count++) {
      const { publicKey, secretKey } = curveKeyPair();
      assertEquals([publicKey.length, secretKey.length], [40, 40]);
      assertEquals(curvePublicKeyOf(secretKey), publicKey);
    }
  });

  it("gives other keys each time", () => {
    const keys = Array.from({ length: 50 }, curveKeyPair);
    assertEquals(new Set(keys.map(({ secretKey }) => secretKey)).size, 50);
    assertEquals(new Set(keys.map(({ publicKey }) => publicKey)).size, 50);
  });

  it("leaves no bit of the secret key as it is", () => {
    let ones = new Uint8Array(32);
    let zeroes = new Uint8Array(32);
    for (let count = 0; count < 60; count++) {
      const secret = decodeZ85(curveKeyPair().secretKey);
      ones = ones.map((octet, i) => octet | secret[i]);
      zeroes = zeroes.map((octet, i) => octet | ~secret[i]);
    }
    assertEquals([toHex(ones), toHex(zeroes)], ["ff".repeat(32), "ff".repeat(32)]);
  });
});

describe("parseCurveKey", () => {
  it("gives a copy, which may be wiped", () => {
    const octets = fromHex(MANUAL[0].secretHex);
    const key = parseCurveKey(octets)!;
    assertEquals(toHex(key), MANUAL[0].secretHex);
    key.fill(0);
    assertEquals(toHex(octets), MANUAL[0].secretHex);
    assertNotEquals(parseCurveKey(SECRET), undefined);
  });

  it("gives nothing for what is no key", () => {
    for (const value of ["", SECRET.slice(5), `${SECRET}00000`, new Uint8Array(31), null, 5, {}]) {
      assertEquals(parseCurveKey(value), undefined);
    }
  });
});

describe("libzmq", () => {
  let peer: Peer;
  beforeAll(() => {
    peer = startPeer();
  });
  afterAll(() => peer.stop());

  it("takes our key pairs for a server and for a client", async () => {
    for (let count = 0; count < 5; count++) {
      await libzmqTakes(peer, curveKeyPair(), curveKeyPair());
    }
  });

  it("takes the public key that we found for a secret one", async () => {
    const secretKey = MANUAL[1].secretKey;
    await libzmqTakes(peer, { secretKey, publicKey: curvePublicKeyOf(secretKey) }, MANUAL[0]);
  });
});
