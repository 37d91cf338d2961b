// Points of low order: with such a public key the shared secret is zero, whatever the other key is, so that anybody can seal
// and open. They are refused wherever a key of the other side is taken.

import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { KeyPair } from "../../src/security/x25519.ts";
import { fromHex, toHex } from "../_util/bytes.ts";
import { boxKey, commandFrame, curveGreeting, keyPair } from "../_util/curve_commands.ts";
import { assertBroken, bodyOf, helloed, welcomed } from "../_util/curve_middle.ts";
import { CurveClient } from "../_util/curve_oracle.ts";
import { clientSession, deliver, greeted, serverSession } from "../_util/curve_session.ts";
import { KEYS } from "../_util/curve_vectors.ts";
import { concat } from "../_util/octets.ts";

const EXCHANGE = "ERR_ZMTP_KEY_EXCHANGE";

/** The u-coordinates of all points whose order divides eight, on the curve and on its twist; those above are not reduced. */
const POINTS: Readonly<Record<string, string>> = {
  "0": "00".repeat(32),
  "1": `01${"00".repeat(31)}`,
  "of order 8": "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
  "of order 8, the other": "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
  "p - 1": `ec${"ff".repeat(30)}7f`,
  "p": `ed${"ff".repeat(30)}7f`,
  "p + 1": `ee${"ff".repeat(30)}7f`,
};

/** The same with the bit set that X25519 does not look at. */
const ALL = Object.entries(POINTS).flatMap(([name, hex]) => {
  const high = fromHex(hex);
  high[31] |= 0x80;
  return [[name, fromHex(hex)], [`${name}, with the last bit`, high]] as const;
});

/** What everybody has in common with such a point. */
const KNOWN = boxKey(new Uint8Array(32), KEYS.serverSecret);

describe("a point of low order", () => {
  it("makes the key that everybody knows", () => {
    for (const [, point] of ALL) {
      for (let i = 0; i < 3; i++) {
        assertEquals(toHex(boxKey(point, keyPair().secretKey)), toHex(KNOWN));
      }
    }
    assert(toHex(boxKey(KEYS.client, KEYS.serverSecret)) !== toHex(KNOWN));
  });

  for (const [name, point] of ALL) {
    it(`${name} is no key to agree with`, async () => {
      const pair = await KeyPair.of(KEYS.serverSecret);
      const error = await pair.agree(point).then(toHex, (error) => error);
      assertEquals(error.code, EXCHANGE, String(error));
    });

    it(`${name} is refused as a client's transient key`, async () => {
      const session = await greeted(serverSession());
      const client = new CurveClient({ serverKey: KEYS.server });
      const hello = client.hello({ transient: point, key: KNOWN });
      await assertBroken(session, commandFrame(hello), EXCHANGE);
    });

    it(`${name} is refused as a client's permanent key`, async () => {
      const [session, client] = await welcomed();
      const vouch = client.vouch({ key: KNOWN });
      const initiate = client.initiate({ publicKey: point, vouch });
      await assertBroken(session, commandFrame(initiate), EXCHANGE);
    });

    it(`${name} is refused as a server's transient key`, async () => {
      const [session, server] = await helloed();
      await assertBroken(session, commandFrame(server.welcome({ transient: point })), EXCHANGE);
    });

    it(`${name} is refused as a server's permanent key`, async () => {
      const session = clientSession({ serverKey: point });
      const error = await deliver(session, curveGreeting()).then(toHex, (error) => error);
      assertEquals([error.code, session.state], [EXCHANGE, "failed"], String(error));
      assertEquals(concat(...session.takeOutput()).length, 64, "the greeting and nothing else");
    });
  }

  it("is refused where the platform does not refuse it", async () => {
    const { subtle } = crypto;
    const { deriveBits } = subtle;
    const pair = await KeyPair.of(KEYS.serverSecret);
    const lenient = { value: () => Promise.resolve(new ArrayBuffer(32)), configurable: true };
    Object.defineProperty(subtle, "deriveBits", lenient);
    try {
      const error = await pair.agree(KEYS.client).then(toHex, (error) => error);
      assertEquals(error.code, EXCHANGE, String(error));
    } finally {
      delete (subtle as { deriveBits?: unknown }).deriveBits;
    }
    assertEquals(subtle.deriveBits, deriveBits);
    assertEquals((await pair.agree(KEYS.client)).length, 32);
  });

  it("is told from a key that merely looks like one", async () => {
    for (const name of ["1", "p - 1"]) {
      const near = fromHex(POINTS[name]);
      near[0] ^= 8;
      const pair = await KeyPair.of(KEYS.serverSecret);
      assertEquals((await pair.agree(near)).length, 32);
    }
  });
});

describe("the last bit of a public key", () => {
  it("of a client does not let it in as somebody else: its vouch is for the key it has", async () => {
    const session = await greeted(serverSession({ entropy: [] }));
    const client = new CurveClient({ serverKey: KEYS.server });
    const transient = client.transient.publicKey.slice();
    transient[31] |= 0x80;
    client.takeWelcome(bodyOf(await deliver(session, commandFrame(client.hello({ transient })))));
    const frame = commandFrame(client.initiate());
    await assertBroken(session, frame, "ERR_ZMTP_MALFORMED_COMMAND_INITIATE", /vouch/);
  });
});
