// Z85 (ZeroMQ RFC 32): octets as printable text, four octets to five characters.

import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { decodeZ85, encodeZ85 } from "../../mod.ts";
import { fromHex, toHex } from "../_util/bytes.ts";
import { assertSays, type Failure, failure } from "../_util/rejection.ts";

const ALPHABET =
  "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

/** The RFC's examples, libzmq's test keys, and the borders. */
const VECTORS: readonly (readonly [hex: string, text: string])[] = [
  ["", ""],
  ["864fd26fb559f75b", "HelloWorld"],
  ["00000000", "00000"],
  ["00000001", "00001"],
  ["00000054", "0000#"],
  ["00000055", "00010"],
  ["00010203", "009c6"],
  ["ffffffff", "%nSc0"],
  [
    "8e0bdd697628b91d8f245587ee95c5b04d48963f79259877b49cd9063aead3b7",
    "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6",
  ],
  [
    "bb88471d65e2659b30c55a5321cebb5aab2b70a398645c26dca2b2fcb43fc518",
    "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID",
  ],
];

function refusal(call: () => unknown, type: typeof TypeError | typeof RangeError): Failure {
  const error = failure(call, "EINVAL");
  assertInstanceOf(error, type);
  return error;
}

describe("encodeZ85", () => {
  for (const [hex, text] of VECTORS) {
    it(`gives ${JSON.stringify(text)} for ${hex || "nothing"}`, () => {
      assertEquals(encodeZ85(fromHex(hex)), text);
    });
  }

  it("refuses what is no multiple of four octets", () => {
    for (const size of [1, 2, 3, 5, 31, 33]) {
      assertSays(refusal(() => encodeZ85(new Uint8Array(size)), RangeError), String(size), "4");
    }
  });

  it("refuses what is no octets", () => {
    for (const value of [undefined, null, "abcd", 4, [1, 2, 3, 4], {}]) {
      refusal(() => encodeZ85(value as unknown as Uint8Array), TypeError);
    }
  });

  it("takes octets that are a part of their buffer", () => {
    const whole = fromHex("ffff864fd26fb559f75bffff");
    assertEquals(encodeZ85(whole.subarray(2, 10)), "HelloWorld");
  });

  it("uses no characters but those of the RFC", () => {
    fc.assert(fc.property(fc.uint8Array({ minLength: 0, maxLength: 50 }), (octets) => {
      const text = encodeZ85(octets.subarray(0, octets.length & ~3));
      assert([...text].every((char) => ALPHABET.includes(char)), text);
    }));
  });
});

describe("decodeZ85", () => {
  for (const [hex, text] of VECTORS) {
    it(`gives ${hex || "nothing"} for ${JSON.stringify(text)}`, () => {
      const octets = decodeZ85(text);
      assertInstanceOf(octets, Uint8Array);
      assertEquals(toHex(octets), hex);
    });
  }

  it("gives each character its place in the alphabet", () => {
    for (const [value, char] of [...ALPHABET].entries()) {
      assertEquals(decodeZ85(`0000${char}`)[3], value);
    }
  });

  it("refuses what is no multiple of five characters", () => {
    for (const text of ["0", "00", "000", "0000", "000000", "HelloWorl"]) {
      const error = refusal(() => decodeZ85(text), RangeError);
      assertSays(error, String(text.length), "5");
    }
  });

  it("refuses characters that are not of the alphabet, and says where they stand", () => {
    for (const char of [" ", '"', "'", ",", ";", "\\", "_", "`", "|", "~", "\0", "\x7f"]) {
      for (let at = 0; at < 10; at++) {
        const text = "HelloWorld".slice(0, at) + char + "HelloWorld".slice(at + 1);
        assertSays(refusal(() => decodeZ85(text), RangeError), `at ${at} `);
      }
    }
    for (const char of ["ü", "✓", "\u{ff10}", "\u0130", "\ud800"]) {
      refusal(() => decodeZ85(`0000${char}`), RangeError);
    }
    refusal(() => decodeZ85("000\u{1f600}"), RangeError);
  });

  it("refuses groups that stand for more than 32 bits", () => {
    for (const group of ["%nSc1", "%nSd0", "%nT00", "%o000", "$0000", "#0000", "#####"]) {
      refusal(() => decodeZ85(group), RangeError);
      refusal(() => decodeZ85(`00000${group}`), RangeError);
      refusal(() => decodeZ85(`${group}00000`), RangeError);
    }
  });

  it("refuses what is no text", () => {
    for (const value of [undefined, null, 5, ["HelloWorld"], new Uint8Array(10), {}]) {
      refusal(() => decodeZ85(value as unknown as string), TypeError);
    }
  });
});

describe("Z85", () => {
  it("gives back what was encoded", () => {
    fc.assert(fc.property(fc.array(fc.nat(2 ** 32 - 1), { maxLength: 64 }), (numbers) => {
      const octets = new Uint8Array(numbers.length * 4);
      const view = new DataView(octets.buffer);
      for (const [i, number] of numbers.entries()) view.setUint32(4 * i, number);
      const text = encodeZ85(octets);
      assertEquals(text.length, numbers.length * 5);
      assertEquals(toHex(decodeZ85(text)), toHex(octets));
    }));
  });

  it("either refuses a text or has it as the one form of its octets", () => {
    const group = fc.array(fc.constantFrom(...ALPHABET), { minLength: 5, maxLength: 5 });
    fc.assert(fc.property(fc.array(group, { maxLength: 4 }), (groups) => {
      const text = groups.map((chars) => chars.join("")).join("");
      let octets: Uint8Array;
      try {
        octets = decodeZ85(text);
      } catch (error) {
        assertInstanceOf(error, RangeError);
        return;
      }
      assertEquals(encodeZ85(octets), text);
    }));
  });
});
