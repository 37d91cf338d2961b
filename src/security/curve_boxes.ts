// What both sides of a CURVE handshake share (RFC 26): the sizes of its commands, its nonces, its boxes.

import { openBox, sealBox } from "../core/secretbox.ts";
import type { Core } from "../core/instance.ts";
import { CURVE_KEY_SIZE } from "../curve_key.ts";
import { ProtocolError } from "../errors.ts";
import { concat } from "../octets.ts";
import { malformed } from "./mechanism.ts";
import { KeyPair } from "./x25519.ts";

export const NAME = "CURVE";
/** Octets that a box adds. */
export const TAG_SIZE = 16;
export const SHORT_NONCE = 8;
export const LONG_NONCE = 16;
/** The cookie: a long nonce, and a box of two keys. */
export const COOKIE_SIZE: number = LONG_NONCE + TAG_SIZE + 2 * CURVE_KEY_SIZE;
/** The vouch is built alike. */
export const VOUCH_SIZE: number = COOKIE_SIZE;

/** What the nonces of the boxes begin with; the rest is a short nonce of 8 octets or a long one of 16. */
export type NoncePrefix =
  | "CurveZMQHELLO---"
  | "WELCOME-"
  | "COOKIE--"
  | "VOUCH---"
  | "CurveZMQINITIATE"
  | "CurveZMQREADY---";

/** Fills octets with what nobody can guess. */
export type Entropy = (size: number) => Uint8Array;

/** The platform's. */
export function entropy(size: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(size));
}

/** This side of CURVE connections: its long-term keys, which all of them share. */
export interface CurveIdentity {
  readonly core: Core;
  readonly entropy: Entropy;
  readonly pair: Promise<KeyPair>;
}

/** A fresh pair for one connection, with its secret. */
export async function transientPair(
  random: Entropy,
): Promise<{ pair: KeyPair; secret: Uint8Array }> {
  const secret = random(CURVE_KEY_SIZE);
  try {
    return { pair: await KeyPair.of(secret), secret };
  } catch (error) {
    secret.fill(0);
    throw error;
  }
}

/** Seals what the parts make together. */
export function seal(
  core: Core,
  key: Uint8Array,
  prefix: NoncePrefix,
  nonce: Uint8Array,
  ...parts: Uint8Array[]
): Uint8Array {
  const plain = concat(parts);
  const sealed = sealBox(core, key, nonceOf(prefix, nonce), plain);
  // It may be a copy of a secret.
  if (parts.length > 1) plain.fill(0);
  return sealed;
}

/**
 * Opens a box of a command.
 *
 * @throws {ProtocolError} `ERR_ZMTP_CRYPTOGRAPHIC`
 */
export function open(
  core: Core,
  key: Uint8Array,
  prefix: NoncePrefix,
  nonce: Uint8Array,
  box: Uint8Array,
  what: string,
): Uint8Array {
  const plain = openBox(core, key, nonceOf(prefix, nonce), box);
  if (plain !== undefined) return plain;
  throw new ProtocolError(
    "ERR_ZMTP_CRYPTOGRAPHIC",
    `The peer sent ${what} that does not open: it was altered, or made with other keys`,
  );
}

/** As `open`, with a key that is not needed again. */
export function openOnce(...args: Parameters<typeof open>): Uint8Array {
  try {
    return open(...args);
  } finally {
    args[1].fill(0);
  }
}

function nonceOf(prefix: NoncePrefix, nonce: Uint8Array): Uint8Array {
  const octets = new Uint8Array(24);
  for (let i = 0; i < prefix.length; i++) octets[i] = prefix.charCodeAt(i);
  octets.set(nonce, prefix.length);
  return octets;
}

/** A short nonce as octets. */
export function shortNonce(value: bigint): Uint8Array {
  const octets = new Uint8Array(SHORT_NONCE);
  new DataView(octets.buffer).setBigUint64(0, value);
  return octets;
}

/** The number of a short nonce. */
export function nonceValue(octets: Uint8Array): bigint {
  return new DataView(octets.buffer, octets.byteOffset).getBigUint64(0);
}

/** Cuts octets into parts of given sizes; the last part is the rest. */
export function cut(octets: Uint8Array, ...sizes: number[]): Uint8Array[] {
  let at = 0;
  const parts = sizes.map((size) => octets.subarray(at, at += size));
  return [...parts, octets.subarray(at)];
}

/** Refuses a command that has not the size it must have. */
export function checkSize(name: string, data: Uint8Array, size: number, orMore = false): void {
  if (data.length === size || (orMore && data.length > size)) return;
  const whole = 1 + name.length;
  throw malformed(
    name,
    `it has ${whole + data.length} octets, where ${whole + size}${orMore ? " or more" : ""} belong`,
  );
}
