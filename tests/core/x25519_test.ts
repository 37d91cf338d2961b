// The core's X25519 beside the RFC's vectors, WebCrypto and another library.

import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { x25519 as noble } from "@noble/curves/ed25519.js";
import fc from "fast-check";
import { Core } from "../../src/core/instance.ts";
import { SCRATCH } from "../../wasm/layout.ts";
import { fromHex, toHex } from "../_util/bytes.ts";

const SIZE = 32;
const SCALAR = SCRATCH;
const POINT = SCRATCH + SIZE;
const OUT = SCRATCH + 2 * SIZE;
const core = new Core();

function x25519(scalar: Uint8Array, point: Uint8Array, out = OUT): Uint8Array {
  core.bytes.set(scalar, SCALAR);
  core.bytes.set(point, POINT);
  core.exports.x25519(SCALAR, POINT, out);
  return core.bytes.slice(out, out + SIZE);
}

/** The point of the RFC's `number`, which may be no less than p. */
function pointOf(number: bigint): Uint8Array {
  return fromHex(number.toString(16).padStart(2 * SIZE, "0")).reverse();
}

const P = 2n ** 255n - 19n;
const BASE = pointOf(9n);

/** Scalar, point, answer; RFC 7748, sections 5.2 and 6.1. */
const VECTORS: readonly (readonly [scalar: string, point: string, out: string])[] = [
  [
    "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
    "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
    "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552",
  ],
  [
    "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
    "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
    "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957",
  ],
  [
    "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
    "0900000000000000000000000000000000000000000000000000000000000000",
    "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
  ],
  [
    "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
    "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
    "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742",
  ],
];

/** The points of order 1, 2, 4 and 8 on the curve and its twist, and other ways to write them. */
const LOW_ORDER: readonly bigint[] = [
  0n,
  1n,
  325606250916557431795983626356110631294008115727848805560023387167927233504n,
  39382357235489614581723060781553021112529911719440698176882885853963445705823n,
  P - 1n,
  P,
  P + 1n,
].flatMap((point) => [point, point + 2n ** 255n]);

/** Octets with long runs of ones and zeroes, where carries go furthest. */
const octets = fc.oneof(
  fc.uint8Array({ minLength: SIZE, maxLength: SIZE }),
  fc.array(fc.constantFrom("00000000", "ffffffff", "7fffffff", "01000000", "edffffff"), {
    minLength: 8,
    maxLength: 8,
  }).map((words) => fromHex(words.join(""))),
  fc.bigInt({ min: -40n, max: 40n }).map((distance) => pointOf((P + distance) % 2n ** 256n)),
  fc.bigInt({ min: 0n, max: 40n }).map((distance) => pointOf(2n ** 256n - 1n - distance)),
);

async function webCrypto(scalar: Uint8Array, point: Uint8Array): Promise<Uint8Array> {
  const pkcs8 = fromHex(`302e020100300506032b656e04220420${toHex(scalar)}`) as BufferSource;
  const algorithm = { name: "X25519" };
  const secret = await crypto.subtle.importKey("pkcs8", pkcs8, algorithm, false, ["deriveBits"]);
  const theirs = await crypto.subtle.importKey("raw", point as BufferSource, algorithm, true, []);
  const shared = await crypto.subtle.deriveBits(
    { name: "X25519", public: theirs },
    secret,
    8 * SIZE,
  );
  return new Uint8Array(shared);
}

/** What the other library gives; zeroes where it refuses to give them. */
function nobleOf(scalar: Uint8Array, point: Uint8Array): string {
  try {
    return toHex(noble.getSharedSecret(scalar, point));
  } catch {
    return "00".repeat(SIZE);
  }
}

/** The prime orders of points: on the curve, and on its twist. */
const ORDERS = [
  2n ** 252n + 27742317777372353535851937790883648493n,
  2n ** 253n - 55484635554744707071703875581767296995n,
];

/** Two scalars that undo each other, both with the bits that X25519 wants. */
function inverseScalars(order: bigint): [Uint8Array, Uint8Array] {
  for (let scalar = 2n ** 254n + 8n * 271828n;; scalar += 8n) {
    let inverse = power(scalar % order, order - 2n, order);
    while (inverse < 2n ** 254n || inverse % 8n !== 0n) inverse += order;
    if (inverse < 2n ** 255n) return [pointOf(scalar), pointOf(inverse)];
  }
}

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  for (; exponent > 0n; exponent >>= 1n) {
    if (exponent & 1n) result = result * base % modulus;
    base = base * base % modulus;
  }
  return result;
}

describe("x25519", () => {
  for (const [scalar, point, out] of VECTORS) {
    it(`gives ${out.slice(0, 16)}…, as RFC 7748 says`, () => {
      assertEquals(toHex(x25519(fromHex(scalar), fromHex(point))), out);
    });
  }

  it("gives what RFC 7748 says after 1 and after 1000 times", () => {
    let scalar = BASE;
    let point = BASE;
    for (let count = 1; count <= 1_000; count++) {
      const out = x25519(scalar, point);
      point = scalar;
      scalar = out;
      if (count === 1) {
        assertEquals(
          toHex(out),
          "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079",
        );
      }
    }
    assertEquals(
      toHex(scalar),
      "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51",
    );
  });

  it("gives what another library gives for any scalar and any point", () => {
    fc.assert(
      fc.property(octets, octets, (scalar, point) => {
        assertEquals(toHex(x25519(scalar, point)), nobleOf(scalar, point));
      }),
      { numRuns: 500 },
    );
  });

  it("gives what WebCrypto gives", async () => {
    for (let count = 0; count < 50; count++) {
      const scalar = crypto.getRandomValues(new Uint8Array(SIZE));
      const point = x25519(crypto.getRandomValues(new Uint8Array(SIZE)), BASE);
      assertEquals(toHex(x25519(scalar, point)), toHex(await webCrypto(scalar, point)));
    }
  });

  it("gives both sides the same", () => {
    fc.assert(
      fc.property(octets, octets, (one, other) => {
        const publicOne = x25519(one, BASE);
        const publicOther = x25519(other, BASE);
        assertEquals(toHex(x25519(one, publicOther)), toHex(x25519(other, publicOne)));
      }),
      { numRuns: 50 },
    );
  });

  it("gives zeroes for the points of low order", () => {
    fc.assert(
      fc.property(octets, fc.constantFrom(...LOW_ORDER), (scalar, point) => {
        const out = x25519(scalar, pointOf(point));
        assertEquals(toHex(out), "00".repeat(SIZE));
      }),
      { numRuns: 200 },
    );
  });

  it("gives the least of the numbers that mean the same", () => {
    // A scalar and its inverse lead back to a small number, which comes out of the arithmetic as itself plus p or 2 p.
    const back = new Set<number>();
    for (const order of ORDERS) {
      const [scalar, inverse] = inverseScalars(order);
      for (let number = 2; number < 40; number++) {
        const point = x25519(scalar, pointOf(BigInt(number)));
        const out = x25519(inverse, point);
        assertEquals(toHex(out), nobleOf(inverse, point));
        if (toHex(out) === toHex(pointOf(BigInt(number)))) back.add(number);
      }
    }
    assert(back.has(9));
    assert([...back].some((number) => number >= 19 && number < 38));
  });

  it("may write over the scalar or the point", () => {
    const [scalar, point, out] = VECTORS[0];
    for (const place of [SCALAR, POINT]) {
      assertEquals(toHex(x25519(fromHex(scalar), fromHex(point), place)), out);
    }
  });

  it("leaves nothing in the memory but its answer", () => {
    const before = core.bytes.slice();
    x25519(crypto.getRandomValues(new Uint8Array(SIZE)), BASE);
    const after = core.bytes.slice();
    for (const memory of [before, after]) memory.fill(0, SCRATCH, OUT + SIZE);
    const changed = [...after.keys()].filter((at) => after[at] !== before[at]);
    assertEquals(changed, []);
    assertEquals(core.bytes.length, before.length);
  });
});
