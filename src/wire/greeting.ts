// The 64-octet greeting that opens a ZMTP 3 connection (RFC 37, "Greeting").

/** Octets of a greeting. */
export const GREETING_SIZE = 64;

const MECHANISM_AT = 12;
const MECHANISM_SIZE = 20;
const SERVER_AT = 32;

/** What a greeting says. */
export interface Greeting {
  readonly major: number;
  readonly minor: number;
  readonly mechanism: string;
  /** The as-server octet: 1 for the server of a mechanism that has roles. libzmq's servers say 0 as well. */
  readonly role: number;
}

/** The octets of a ZMTP 3.1 greeting. */
export function encodeGreeting(mechanism: string, asServer: boolean): Uint8Array {
  const octets = new Uint8Array(GREETING_SIZE);
  octets[0] = 0xff;
  octets[9] = 0x7f;
  octets[10] = 3;
  octets[11] = 1;
  for (let i = 0; i < mechanism.length; i++) octets[MECHANISM_AT + i] = mechanism.charCodeAt(i);
  octets[SERVER_AT] = asServer ? 1 : 0;
  return octets;
}

/**
 * Looks at the first octets of a peer, as far as they have come: true while they can be the start of a ZMTP 3 greeting.
 * The padding says nothing and is not looked at.
 */
export function isGreetingStart(octets: Uint8Array, size: number): boolean {
  if (size > 0 && octets[0] !== 0xff) return false;
  if (size > 9 && (octets[9] & 1) === 0) return false;
  return size <= 10 || octets[10] >= 3;
}

/** Reads a whole greeting. */
export function decodeGreeting(octets: Uint8Array): Greeting {
  let mechanism = "";
  let end = MECHANISM_AT + MECHANISM_SIZE;
  while (end > MECHANISM_AT && octets[end - 1] === 0) end--;
  for (let i = MECHANISM_AT; i < end; i++) mechanism += String.fromCharCode(octets[i]);
  return { major: octets[10], minor: octets[11], mechanism, role: octets[SERVER_AT] };
}
