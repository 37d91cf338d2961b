// The dictionary of a READY: read as a plain reading has it, or refused with the one code.

import { assertEquals } from "@std/assert";
import { decodeMetadata, encodeMetadata } from "../../../src/wire/metadata.ts";
import { codeOf } from "../../../src/errors.ts";
import { toHex, utf8 } from "../../_util/bytes.ts";
import { maybeMutate } from "../mutate.ts";
import type { Tape } from "../tape.ts";
import { checkProtocolError, type Target } from "../target.ts";

interface Input {
  readonly octets: Uint8Array;
}

const NAMES = ["Socket-Type", "Identity", "socket-type", "Resource", "X-a", "a.b_c+d-E", "x"];
const VALUES = ["", "DEALER", "ROUTER", "SUB", "x".repeat(255), "x".repeat(300)];

function drawProperty(tape: Tape): readonly [string, Uint8Array] {
  const value = tape.oneIn(3) ? tape.octets(tape.below(20)) : utf8(tape.pick(VALUES));
  return [tape.pick(NAMES), value];
}

/** The properties as RFC 37 has them: names in lower case with the first value of each; undefined when malformed. */
function plainly(octets: Uint8Array): Map<string, string> | undefined {
  const properties = new Map<string, string>();
  const left = [...octets];
  while (left.length > 0) {
    const size = left.shift()!;
    if (size === 0 || left.length < size + 4) return undefined;
    const name = String.fromCharCode(...left.splice(0, size));
    if (![...name].every((char) => /[A-Za-z0-9\-_.+]/.test(char))) return undefined;
    const count = left.splice(0, 4).reduce((sum, octet) => sum * 256 + octet, 0);
    if (left.length < count) return undefined;
    const value = toHex(Uint8Array.from(left.splice(0, count)));
    const key = name.toLowerCase();
    const known = properties.get(key);
    if (known === undefined) properties.set(key, value);
    else if (key === "socket-type" && known !== value) return undefined;
  }
  return properties;
}

export const metadata: Target<Input> = {
  name: "metadata",
  draw: (tape) => ({
    octets: maybeMutate(tape, encodeMetadata(tape.list(6, () => drawProperty(tape)))),
  }),
  check({ octets }) {
    const expected = plainly(octets);
    // It may lie anywhere in a larger buffer.
    const inside = new Uint8Array(octets.length + 9).fill(0xee);
    inside.set(octets, 5);
    let actual: Map<string, string> | undefined;
    try {
      const properties = decodeMetadata(inside.subarray(5, 5 + octets.length));
      actual = new Map([...properties].map(([name, value]) => [name, toHex(value)]));
      const again = decodeMetadata(encodeMetadata([...properties]));
      assertEquals([...again.keys()], [...properties.keys()]);
    } catch (error) {
      assertEquals(codeOf(checkProtocolError(error)), "ERR_ZMTP_INVALID_METADATA");
    }
    assertEquals(actual, expected);
  },
};
