// Key pairs that libzmq made, in a Node process of its own.

import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { type CurveKeyPair, curvePublicKeyOf } from "../mod.ts";
import { start } from "./_util/process.ts";

const COUNT = 100;

describe("libzmq's key pairs", () => {
  it("have the public keys that we find for their secret keys", async () => {
    const printed = await start("libzmq_keys.mjs", String(COUNT)).succeeds();
    const pairs = JSON.parse(printed) as CurveKeyPair[];
    assertEquals(pairs.length, COUNT);
    assertEquals(
      pairs.map(({ secretKey }) => curvePublicKeyOf(secretKey)),
      pairs.map(({ publicKey }) => publicKey),
    );
  });
});
