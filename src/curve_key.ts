// What a CURVE key may be given as: 40 characters of Z85, or 32 octets. Z85 looks characters up in tables, so how long that
// takes may depend on the key: it happens when an option is set, never for what a peer does. From then on a secret key is
// octets, which nothing branches on: WebCrypto and the core compute with them, and comparisons go through all octets.

import { decodeZ85 } from "./z85.ts";

/** Octets of a CURVE key. */
export const CURVE_KEY_SIZE = 32;
/** Characters of a CURVE key as Z85 text. */
export const CURVE_KEY_LENGTH = 40;

/**
 * The 32 octets of a CURVE key, always a copy that the caller may wipe; undefined for anything that is no key. It never
 * throws, so that no error can quote what may be a secret.
 */
export function parseCurveKey(value: unknown): Uint8Array<ArrayBuffer> | undefined {
  if (value instanceof Uint8Array) {
    return value.length === CURVE_KEY_SIZE ? new Uint8Array(value) : undefined;
  }
  if (typeof value !== "string" || value.length !== CURVE_KEY_LENGTH) return undefined;
  try {
    return decodeZ85(value) as Uint8Array<ArrayBuffer>;
  } catch {
    return undefined;
  }
}
