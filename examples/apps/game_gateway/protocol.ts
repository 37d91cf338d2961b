// What players, gateway and game servers say to each other. Every message begins with a header frame of 13 octets: a type and
// three numbers of 32 bits, most significant octet first. README.md has the table.

/** From players. */
export const JOIN = 1;
export const INPUT = 2;
export const ACK = 3;
export const PART = 4;
export const PING = 5;
/** To players. */
export const WELCOME = 17;
export const RESULT = 18;
export const PUSH = 19;
export const CUT = 20;
export const RESUME = 21;
export const PONG = 22;
/** From game servers. */
export const READY = 33;
export const DONE = 34;
export const SAVED = 35;
export const PUSHED = 36;
export const STATE = 37;
export const FAILED = 38;
export const LEAVE = 39;
/** To game servers. */
export const OPEN = 49;
export const PLAY = 50;
export const GIVE = 51;
export const CLOSE = 52;
export const GOODBYE = 53;
export const AGAIN = 54;
/** Both ways between gateway and game servers. */
export const BEAT = 64;

const SIZE = 13;
/** So long is the token by which a player comes back. */
export const TOKEN_SIZE = 16;

/** A header frame. */
export function header(type: number, a = 0, b = 0, c = 0): Uint8Array {
  const octets = new Uint8Array(SIZE);
  octets[0] = type;
  write(octets, 1, a);
  write(octets, 5, b);
  write(octets, 9, c);
  return octets;
}

function write(octets: Uint8Array, at: number, value: number): void {
  octets[at] = value >>> 24;
  octets[at + 1] = value >>> 16;
  octets[at + 2] = value >>> 8;
  octets[at + 3] = value;
}

/** True when a frame can be a header. */
export function isHeader(frame: Uint8Array | undefined): frame is Uint8Array {
  return frame?.length === SIZE;
}

/** The first number of a header. */
export function a(head: Uint8Array): number {
  return ((head[1] << 24) | (head[2] << 16) | (head[3] << 8) | head[4]) >>> 0;
}

/** The second. */
export function b(head: Uint8Array): number {
  return ((head[5] << 24) | (head[6] << 16) | (head[7] << 8) | head[8]) >>> 0;
}

/** The third. */
export function c(head: Uint8Array): number {
  return ((head[9] << 24) | (head[10] << 16) | (head[11] << 8) | head[12]) >>> 0;
}

/** Octets as a key of a map: one character for each. */
export function keyOf(octets: Uint8Array): string {
  let key = "";
  for (let i = 0; i < octets.length; i++) key += String.fromCharCode(octets[i]);
  return key;
}
