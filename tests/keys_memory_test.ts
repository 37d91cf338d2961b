// What is left of a secret key once its public key is known.

import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { curveKeyPair, curvePublicKeyOf, decodeZ85 } from "../mod.ts";
import { toHex } from "./_util/bytes.ts";

/** Calls with every instance of the core that is made meanwhile, and all that the system's random octets are put into. */
function watching<T>(call: () => T): { result: T; memories: Uint8Array[]; random: Uint8Array[] } {
  const memories: WebAssembly.Memory[] = [];
  const random: Uint8Array[] = [];
  const { Instance } = WebAssembly;
  WebAssembly.Instance = class extends Instance {
    constructor(module: WebAssembly.Module) {
      super(module);
      memories.push(this.exports.memory as WebAssembly.Memory);
    }
  };
  const getRandomValues = crypto.getRandomValues;
  Object.defineProperty(crypto, "getRandomValues", {
    configurable: true,
    value: (octets: Uint8Array<ArrayBuffer>) => {
      random.push(octets);
      return getRandomValues.call(crypto, octets);
    },
  });
  try {
    const result = call();
    return { result, random, memories: memories.map(({ buffer }) => new Uint8Array(buffer)) };
  } finally {
    WebAssembly.Instance = Instance;
    Reflect.deleteProperty(crypto, "getRandomValues");
  }
}

describe("curveKeyPair and curvePublicKeyOf", () => {
  it("leave nothing of a key in memory, but in what they give", () => {
    const { result, memories, random } = watching(() => {
      const pair = curveKeyPair();
      assertEquals(curvePublicKeyOf(pair.secretKey), pair.publicKey);
      return pair;
    });
    assertEquals(memories.length, 1);
    const memory = toHex(memories[0]);
    for (const key of [result.secretKey, result.publicKey]) {
      // The first and last octets of a scalar are changed in use.
      assert(!memory.includes(toHex(decodeZ85(key).subarray(1, 9))));
    }
    assertEquals(random.map(toHex), ["00".repeat(32)]);
  });
});
