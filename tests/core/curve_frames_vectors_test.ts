// curveSeal and curveOpen with the golden vectors of CURVE's MESSAGE: what the functions that talked to libzmq made.

import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { fromHex, toHex } from "../_util/bytes.ts";
import { concat } from "../_util/octets.ts";
import { expand } from "../_util/vectors.ts";
import vectors from "./_vectors/crypto.json" with { type: "json" };
import { FROM_CLIENT, FROM_SERVER } from "./models/curve_model.ts";
import { CurveStand } from "./models/curve_stand.ts";
import { encodeFrame } from "./models/frame_model.ts";

const key = fromHex(vectors.curve.key);
const stand = new CurveStand(4096);

describe("A MESSAGE of CURVE", () => {
  for (const { id, side, nonce, flags, body, frame } of vectors.curve.messages) {
    const from = side === "client" ? FROM_CLIENT : FROM_SERVER;
    const other = side === "client" ? FROM_SERVER : FROM_CLIENT;
    const plain = encodeFrame(flags, expand(body));

    it(`is sealed as in ${id}`, () => {
      stand.setKeys(key, from, BigInt(nonce));
      assertEquals(toHex(stand.seal(plain, 200)), toHex(expand(frame)));
      assertEquals(stand.nonce, BigInt(nonce) + 1n);
    });

    it(`is opened as in ${id}`, () => {
      stand.setKeys(key, from, BigInt(nonce) - 1n);
      const opened = stand.open(expand(frame));
      assertEquals(opened.fault, undefined);
      assertEquals(toHex(opened.plain), toHex(plain));
      assertEquals(opened.nonce, BigInt(nonce));
    });

    it(`is refused as in ${id} from the other side`, () => {
      stand.setKeys(key, other, BigInt(nonce) - 1n);
      assertEquals(stand.open(expand(frame)).fault, "tag");
    });
  }

  it("is opened together with those that follow", () => {
    const mine = vectors.curve.messages.filter(({ id }) => /07|10|12/.test(id));
    assertEquals(mine.map(({ nonce }) => nonce), [3, 4, 5]);
    stand.setKeys(key, FROM_CLIENT, 2n);
    const opened = stand.open(concat(...mine.map(({ frame }) => expand(frame))));
    const plain = mine.map(({ flags, body }) => encodeFrame(flags, expand(body)));
    assertEquals(toHex(opened.plain), toHex(concat(...plain)));
    assertEquals(opened.nonce, 5n);
  });
});
