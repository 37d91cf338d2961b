// The 64-octet greeting that opens a ZMTP 3 connection (RFC 37, "Greeting").

/** Octets of a greeting. */
export const GREETING_SIZE = 64;

const MECHANISM_AT = 12;
const MECHANISM_SIZE = 20;
const SERVER_AT = 32;

/** The mechanisms that this package speaks, as greetings name them. */
export type MechanismName = "NULL" | "PLAIN" | "CURVE";

/** What a greeting says. */
export interface Greeting {
  readonly major: number;
  readonly minor: number;
  readonly mechanism: string;
  /** The as-server octet: 1 for the server of a mechanism that has roles. libzmq's servers say 0 as well. */
  readonly role: number;
}

/** Octets of a greeting that peers of all versions understand: where those of ZMTP 1.0 see the header of a frame. */
export const SIGNATURE_SIZE = 10;
/** The octet that says which version it is. */
export const MAJOR_AT = 10;

/**
 * The octets of a ZMTP 3.1 greeting. To a peer of ZMTP 1.0 its start is the header of a frame with our routing id, which
 * would have to follow.
 */
export function encodeGreeting(
  mechanism: string,
  asServer: boolean,
  routingIdSize: number = 0,
): Uint8Array {
  const octets = new Uint8Array(GREETING_SIZE);
  octets[0] = 0xff;
  new DataView(octets.buffer).setUint32(5, routingIdSize + 1);
  octets[9] = 0x7f;
  octets[MAJOR_AT] = 3;
  octets[11] = 1;
  for (let i = 0; i < mechanism.length; i++) octets[MECHANISM_AT + i] = mechanism.charCodeAt(i);
  octets[SERVER_AT] = asServer ? 1 : 0;
  return octets;
}

/** Reads a whole greeting. */
export function decodeGreeting(octets: Uint8Array): Greeting {
  let mechanism = "";
  let end = MECHANISM_AT + MECHANISM_SIZE;
  while (end > MECHANISM_AT && octets[end - 1] === 0) end--;
  for (let i = MECHANISM_AT; i < end; i++) mechanism += String.fromCharCode(octets[i]);
  return { major: octets[MAJOR_AT], minor: octets[11], mechanism, role: octets[SERVER_AT] };
}
