// Z85: octets as printable text, five characters for four octets (RFC 32).

import { withCode } from "./errors.ts";

const ALPHABET =
  "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";
const VALUES: ReadonlyMap<string, number> = new Map(
  Array.from(ALPHABET, (character, value) => [character, value]),
);

/**
 * Octets as Z85 text. `zmq_z85_encode`.
 *
 * @throws {TypeError} `EINVAL` for what are not octets.
 * @throws {RangeError} `EINVAL` when their number is no multiple of 4.
 *
 * @example The RFC's own
 * ```ts
 * import { encodeZ85 } from "@wasmq/wasmq";
 *
 * console.log(encodeZ85(Uint8Array.of(0x86, 0x4f, 0xd2, 0x6f, 0xb5, 0x59, 0xf7, 0x5b))); // "HelloWorld"
 * ```
 */
export function encodeZ85(octets: Uint8Array): string {
  if (!(octets instanceof Uint8Array)) throw wrongType("encode", "octets", octets);
  if (octets.length % 4 !== 0) {
    throw outOfRange("encode", `${octets.length} octets`, "a multiple of 4");
  }
  const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
  let text = "";
  for (let at = 0; at < octets.length; at += 4) {
    const value = view.getUint32(at);
    for (let unit = 85 ** 4; unit >= 1; unit /= 85) text += ALPHABET[Math.floor(value / unit) % 85];
  }
  return text;
}

/**
 * The octets of Z85 text. `zmq_z85_decode`.
 *
 * @throws {TypeError} `EINVAL` for what is no string.
 * @throws {RangeError} `EINVAL` when its length is no multiple of 5, or it has characters or groups that Z85 has not.
 */
export function decodeZ85(text: string): Uint8Array {
  if (typeof text !== "string") throw wrongType("decode", "a string", text);
  if (text.length % 5 !== 0) {
    throw outOfRange("decode", `${text.length} characters`, "a multiple of 5");
  }
  const octets = new Uint8Array(text.length / 5 * 4);
  const view = new DataView(octets.buffer);
  for (let at = 0; at < text.length; at += 5) {
    let value = 0;
    for (let i = at; i < at + 5; i++) {
      const digit = VALUES.get(text[i]);
      if (digit === undefined) {
        throw outOfRange("decode", `the character at ${i}`, "one of the 85 characters of Z85");
      }
      value = value * 85 + digit;
    }
    if (value > 0xffffffff) {
      throw outOfRange("decode", `the group at ${at}`, "no more than 32 bits, %nSc0");
    }
    view.setUint32(at / 5 * 4, value);
  }
  return octets;
}

function wrongType(use: string, expected: string, value: unknown): TypeError {
  return withCode(
    new TypeError(`Cannot ${use} Z85: expected ${expected}, not ${typeof value}`),
    "EINVAL",
  );
}

function outOfRange(use: string, got: string, expected: string): RangeError {
  return withCode(
    new RangeError(`Cannot ${use} ${got} as Z85: expected ${expected}`),
    "EINVAL",
  );
}
