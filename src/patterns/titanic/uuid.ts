// The names of requests: RFC 9 wants 32 hexadecimal characters.

import type { Frame } from "../../../mod.ts";

/** The length of one. */
const LENGTH = 32;

/** A name that nobody can guess. */
export function makeUuid(): string {
  const octets = crypto.getRandomValues(new Uint8Array(LENGTH / 2));
  let uuid = "";
  for (const octet of octets) uuid += octet.toString(16).padStart(2, "0");
  return uuid;
}

/** True for 32 hexadecimal characters, and for nothing else: a store makes names of files of them. */
export function isUuid(text: string): boolean {
  return /^[0-9a-f]{32}$/.test(text);
}

/** The UUID in a frame, in small letters; undefined when there is none. */
export function uuidIn(frame: Frame | undefined): string | undefined {
  if (frame?.length !== LENGTH) return undefined;
  const text = String(frame).toLowerCase();
  return isUuid(text) ? text : undefined;
}
