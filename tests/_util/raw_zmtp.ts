// Octets of ZMTP 3 written by hand, apart from the library's own encoders, for raw peers.

import { utf8 } from "./bytes.ts";
import { concat } from "./octets.ts";
import { dial, type RawConnection } from "./raw_peer.ts";

const GREETING_SIZE = 64;
const FLAG_MORE = 1;
const FLAG_LONG = 2;
const FLAG_COMMAND = 4;

/** A greeting of ZMTP 3.1 with NULL. */
export function greeting(mechanism = "NULL"): Uint8Array {
  const octets = new Uint8Array(GREETING_SIZE);
  octets.set([0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 1]);
  octets.set(utf8(mechanism), 12);
  return octets;
}

/** One frame. */
export function frame(body: Uint8Array | string, more = false): Uint8Array {
  return framed(typeof body === "string" ? utf8(body) : body, more ? FLAG_MORE : 0);
}

/** The frames of one message. */
export function message(...bodies: (Uint8Array | string)[]): Uint8Array {
  return concat(...bodies.map((body, i) => frame(body, i < bodies.length - 1)));
}

/** A frame's header that announces `size` octets. */
export function longHeader(size: bigint, flags = 0): Uint8Array {
  const octets = new Uint8Array(9);
  octets[0] = flags | FLAG_LONG;
  new DataView(octets.buffer).setBigUint64(1, size);
  return octets;
}

/** A command frame. */
export function command(name: string, data: Uint8Array = new Uint8Array(0)): Uint8Array {
  return framed(concat(Uint8Array.of(name.length), utf8(name), data), FLAG_COMMAND);
}

/** The READY command of a socket. */
export function ready(socketType: string, identity?: Uint8Array | string): Uint8Array {
  const properties = [property("Socket-Type", utf8(socketType))];
  if (identity !== undefined) {
    properties.push(property("Identity", typeof identity === "string" ? utf8(identity) : identity));
  }
  return command("READY", concat(...properties));
}

/** A PING with a time to live of 0 and a context. */
export function ping(context: string): Uint8Array {
  return command("PING", concat(Uint8Array.of(0, 0), utf8(context)));
}

/** Reads one frame. */
export async function takeFrame(connection: RawConnection): Promise<RawFrame> {
  const [flags] = await connection.take(1);
  let size = 0;
  for (const octet of await connection.take(flags & FLAG_LONG ? 8 : 1)) size = size * 256 + octet;
  const body = await connection.take(size);
  return { body, more: (flags & FLAG_MORE) !== 0, command: (flags & FLAG_COMMAND) !== 0 };
}

/** A frame as it was read. */
export interface RawFrame {
  readonly body: Uint8Array;
  readonly more: boolean;
  readonly command: boolean;
}

/** Reads one message, passing over commands. */
export async function takeMessage(connection: RawConnection): Promise<Uint8Array[]> {
  const bodies: Uint8Array[] = [];
  for (;;) {
    const next = await takeFrame(connection);
    if (next.command) continue;
    bodies.push(next.body);
    if (!next.more) return bodies;
  }
}

/** Does the whole handshake as a socket of the given type; the other side's READY. */
export async function shakeHands(
  connection: RawConnection,
  socketType: string,
  identity?: Uint8Array | string,
): Promise<Uint8Array> {
  connection.send(greeting(), ready(socketType, identity));
  await connection.take(GREETING_SIZE);
  return (await takeFrame(connection)).body;
}

/** Connects and does the handshake. */
export async function connectAs(
  endpoint: string,
  socketType: string,
  identity?: Uint8Array | string,
): Promise<RawConnection> {
  const connection = await dial(endpoint);
  await shakeHands(connection, socketType, identity);
  return connection;
}

function property(name: string, value: Uint8Array): Uint8Array {
  const size = new Uint8Array(4);
  new DataView(size.buffer).setUint32(0, value.length);
  return concat(Uint8Array.of(name.length), utf8(name), size, value);
}

function framed(body: Uint8Array, flags: number): Uint8Array {
  const header = body.length > 255
    ? longHeader(BigInt(body.length), flags)
    : Uint8Array.of(flags, body.length);
  return concat(header, body);
}
