// Z85 and CURVE keys: text and octets there and back, and errors for all else.

import { assertEquals } from "@std/assert";
import { parseCurveKey } from "../../../src/curve_key.ts";
import { decodeZ85, encodeZ85 } from "../../../src/z85.ts";
import { assertOctets } from "../../_util/octets.ts";
import { drawText } from "../draws.ts";
import type { Tape } from "../tape.ts";
import { checkArgumentError, type Target } from "../target.ts";

interface Input {
  readonly octets: Uint8Array;
  readonly text: string;
}

const DIGITS =
  "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";
const WORDS = ["HelloWorld", "%nSc0", "%nSc1", "#####", "00000", "", "0".repeat(40), "rq:rM>}U?@"];

function drawGroups(tape: Tape): string {
  return Array.from(
    { length: 5 * tape.below(9) },
    () => DIGITS[tape.below(DIGITS.length)],
  ).join("");
}

/** The octets of a text by long arithmetic; undefined when it is no Z85. */
function plainly(text: string): number[] | undefined {
  if (text.length % 5 !== 0) return undefined;
  const octets: number[] = [];
  for (let at = 0; at < text.length; at += 5) {
    let value = 0n;
    for (const char of text.slice(at, at + 5).split("")) {
      const digit = DIGITS.indexOf(char);
      if (digit < 0) return undefined;
      value = value * 85n + BigInt(digit);
    }
    if (value >= 2n ** 32n) return undefined;
    for (const shift of [24n, 16n, 8n, 0n]) octets.push(Number(value >> shift & 255n));
  }
  return octets;
}

export const z85: Target<Input> = {
  name: "z85",
  draw: (tape) => ({
    octets: tape.octets(tape.below(70)),
    text: tape.oneIn(3) ? drawText(tape, WORDS) : drawGroups(tape),
  }),
  check({ octets, text }) {
    const expected = plainly(text);
    let actual: Uint8Array | undefined;
    try {
      actual = decodeZ85(text);
    } catch (error) {
      checkArgumentError(error);
    }
    assertEquals(actual === undefined, expected === undefined);
    if (actual !== undefined) {
      assertOctets(actual, Uint8Array.from(expected!));
      assertEquals(encodeZ85(actual), text);
    }
    assertEquals(parseCurveKey(text)?.length, text.length === 40 && actual ? 32 : undefined);
    try {
      assertOctets(decodeZ85(encodeZ85(octets)), octets);
      assertEquals(octets.length % 4, 0);
    } catch (error) {
      if (octets.length % 4 === 0) throw error;
      checkArgumentError(error);
    }
  },
};
