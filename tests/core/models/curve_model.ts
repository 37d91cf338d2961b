// CURVE's MESSAGE commands (RFC 26) as plainly as they can be written, with the ciphers of another library: what the core's
// curveSeal and curveOpen must agree with.

import { hsalsa, xsalsa20poly1305 } from "@noble/ciphers/salsa.js";
import { utf8 } from "../../_util/bytes.ts";
import { concat } from "../../_util/octets.ts";
import { COMMAND, encodeFrame, LONG, MORE } from "./frame_model.ts";

/** What the nonces of each side begin with. */
export const FROM_CLIENT = "CurveZMQMESSAGEC";
/** See `FROM_CLIENT`. */
export const FROM_SERVER = "CurveZMQMESSAGES";
/** The flag of a command inside the box. */
export const INNER_COMMAND = 2;

const NAME = utf8("\x07MESSAGE");
const OVERHEAD = 33;

/** A frame before it is sealed, or after it was opened. */
export interface Plain {
  readonly flags: number;
  readonly body: Uint8Array;
}

/** HSalsa20 of a key and 16 octets. */
export function hsalsa20(key: Uint8Array, input: Uint8Array): Uint8Array {
  const words = (octets: Uint8Array): Uint32Array => new Uint32Array(octets.slice().buffer);
  const out = new Uint32Array(8);
  hsalsa(words(utf8("expand 32-byte k")), words(key), words(input), out);
  return new Uint8Array(out.buffer);
}

/** A nonce of eight octets. */
export function bigEndian(value: bigint): Uint8Array {
  const octets = new Uint8Array(8);
  new DataView(octets.buffer).setBigUint64(0, value);
  return octets;
}

/** The body of a MESSAGE around any text; its first octet are the flags inside. */
export function sealText(
  key: Uint8Array,
  side: string,
  nonce: bigint,
  text: Uint8Array,
): Uint8Array {
  const short = bigEndian(nonce);
  const box = xsalsa20poly1305(key, concat(utf8(side), short)).encrypt(text);
  return concat(NAME, short, box);
}

/** The sealed frame that a plain one becomes. */
export function sealFrame(key: Uint8Array, side: string, nonce: bigint, plain: Plain): Uint8Array {
  const inner = (plain.flags & MORE) | (plain.flags & COMMAND ? INNER_COMMAND : 0);
  return encodeFrame(0, sealText(key, side, nonce, concat(Uint8Array.of(inner), plain.body)));
}

/** Sealed frames with nonces that follow each other. */
export function sealFrames(
  key: Uint8Array,
  side: string,
  nonce: bigint,
  frames: readonly Plain[],
): Uint8Array {
  return concat(...frames.map((plain, i) => sealFrame(key, side, nonce + BigInt(i), plain)));
}

/** Plain frames as they lie in an outbox. */
export function encodeFrames(frames: readonly Plain[]): Uint8Array {
  return concat(...frames.map(({ flags, body }) => encodeFrame(flags, body)));
}

/** What opening answers. */
export interface Opened {
  readonly fault: string | undefined;
  /** The plain frames before the fault. */
  readonly plain: Uint8Array;
  /** Octets that were consumed. */
  readonly next: number;
  /** Of the frame there: its size in all once its header is there, while there is no fault. */
  readonly need: number;
  /** The last nonce that was accepted. */
  readonly nonce: bigint;
}

/** Opens the sealed frames one by one. */
export function openFrames(
  key: Uint8Array,
  side: string,
  nonce: bigint,
  octets: Uint8Array,
  limit: number,
): Opened {
  const plain: Uint8Array[] = [];
  let next = 0;
  let need = 0;
  const stop = (fault?: string): Opened => ({
    fault,
    plain: concat(...plain),
    next,
    need: fault === undefined ? need : 0,
    nonce,
  });
  while (octets.length - next >= 2) {
    const flags = octets[next];
    if (flags & ~(LONG | COMMAND)) return stop("flags");
    const header = flags & LONG ? 9 : 2;
    if (octets.length - next < header) break;
    let size = 0n;
    for (const octet of octets.subarray(next + 1, next + header)) size = size << 8n | BigInt(octet);
    const largest = 2n ** 31n - 1n;
    const most = limit < 0 ? largest : BigInt(limit) + BigInt(OVERHEAD);
    if (size > (most < largest ? most : largest)) return stop("size");
    need = header + Number(size);
    if (octets.length - next < need) break;
    const body = octets.subarray(next + header, next + need);
    if (body.length < 8 || NAME.some((octet, i) => octet !== body[i])) return stop("name");
    if (body.length < OVERHEAD) return stop("short");
    const short = new DataView(body.slice(8, 16).buffer).getBigUint64(0);
    if (short <= nonce) return stop("nonce");
    let text: Uint8Array;
    try {
      text = xsalsa20poly1305(key, concat(utf8(side), bigEndian(short))).decrypt(body.slice(16));
    } catch {
      return stop("tag");
    }
    if (text[0] > (MORE | INNER_COMMAND)) return stop("inner");
    const outer = (text[0] & MORE) | (text[0] & INNER_COMMAND ? COMMAND : 0);
    plain.push(encodeFrame(outer, text.subarray(1)));
    nonce = short;
    next += need;
    need = 0;
  }
  return stop();
}

/** True when some word of the text stands in the place: so many octets of it, one after the other. */
export function holds(place: Uint8Array, text: Uint8Array, count: number): boolean {
  const key = (octets: Uint8Array, at: number): string => octets.subarray(at, at + count).join();
  const words = new Set<string>();
  for (let at = 0; at + count <= text.length; at++) words.add(key(text, at));
  for (let at = 0; at + count <= place.length; at++) if (words.has(key(place, at))) return true;
  return false;
}
