// Frames as keys and as constants.

import type { MessageLike } from "../../../mod.ts";

const encoder = new TextEncoder();

/** Text as octets, made once. */
export function octetsOf(text: string): Uint8Array {
  return encoder.encode(text);
}

/** True when both have the same octets. */
export function sameOctets(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** A string that only equal octets have: a routing id as the key of a `Map`. One character for each octet. */
export function keyOf(octets: Uint8Array): string {
  let key = "";
  for (let i = 0; i < octets.length; i++) key += String.fromCharCode(octets[i]);
  return key;
}

/** What a user gives as a body: one frame or several. */
export type Body = MessageLike | readonly MessageLike[];

/** A body as frames. */
export function framesOf(body: Body): readonly MessageLike[] {
  return Array.isArray(body) ? body : [body as MessageLike];
}
