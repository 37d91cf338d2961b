// WebSocket frames that carry ZMTP ones (RFC 6455, section 5; RFC 45), as plainly as they can be written and read: whole octet
// strings in, values out.

import { concat as join } from "../../../src/octets.ts";
import { concat } from "../../_util/octets.ts";
import { announce, COMMAND, MORE } from "./frame_model.ts";

export const TEXT = 1;
export const BINARY = 2;
export const CONTINUATION = 0;
export const CLOSE = 8;
export const PING = 9;
export const PONG = 10;
export const FIN = 0x80;

/** How a frame is made that is not as usual. */
export interface Making {
  /** Four octets, where there is a mask. */
  readonly key?: Uint8Array | undefined;
  /** Octets of the length field, 0, 2 or 8; the fewest without. */
  readonly field?: number | undefined;
  /** The length that is announced, where that is another one. */
  readonly length?: bigint | undefined;
}

function bigEndian(value: bigint, size: number): number[] {
  return Array.from({ length: size }, (_, i) => Number(value >> BigInt(8 * (size - 1 - i)) & 255n));
}

/** A mask or its removal. */
export function masked(octets: Uint8Array, key: Uint8Array | undefined): Uint8Array {
  return key === undefined ? octets : octets.map((octet, i) => octet ^ key[i % 4]);
}

/** A frame with this first octet. */
export function encodeWeb(first: number, payload: Uint8Array, making: Making = {}): Uint8Array {
  const { key, length = BigInt(payload.length) } = making;
  const field = making.field ?? (length < 126 ? 0 : length < 65536 ? 2 : 8);
  const code = field === 0 ? Number(length) : field === 2 ? 126 : 127;
  const mark = key === undefined ? 0 : 128;
  return concat(
    Uint8Array.of(first, mark | code, ...bigEndian(length, field), ...key ?? []),
    masked(payload, key),
  );
}

/** A message, as a frame or as several of these sizes, the rest in the last. */
export function encodeWebMessage(
  flags: number,
  body: Uint8Array,
  key?: Uint8Array,
  sizes: readonly number[] = [],
): Uint8Array {
  const payload = concat(Uint8Array.of(flags), body);
  let at = 0;
  const parts = [...sizes, Infinity].map((size, i) => {
    const first = (i === 0 ? BINARY : CONTINUATION) | (i === sizes.length ? FIN : 0);
    const part = payload.subarray(at, at + size);
    at += part.length;
    return encodeWeb(first, part, { key });
  });
  return concat(...parts);
}

/** What a peer's frames must be like. */
export interface Rules {
  readonly masked: boolean;
  readonly limit: number;
  readonly commands: boolean;
}

/** A control frame, and how many octets of ZMTP were before it. */
export interface Control {
  readonly after: number;
  readonly opcode: number;
  readonly payload: Uint8Array;
}

/** What frames say, up to their end or to the first fault. */
export interface WebReading {
  /** ZMTP frames; the last one perhaps not whole. */
  readonly octets: Uint8Array;
  readonly controls: readonly Control[];
  /** The close code of the fault. */
  readonly fault: number | undefined;
  /** Where in the octets the frame begins that is wrong or not whole. */
  readonly at: number;
}

const LARGEST = 2n ** 31n - 1n;
const LARGEST_COMMAND = 65_536n;
const ZWS_COMMAND = 2;

interface Header {
  readonly first: number;
  readonly key: Uint8Array | undefined;
  readonly start: number;
  readonly length: bigint;
}

/** A header; a close code when it is wrong, undefined when it is not whole. */
function readHeader(
  octets: Uint8Array,
  at: number,
  rules: Rules,
  fragmented: boolean,
): Header | number | undefined {
  const rest = octets.subarray(at);
  if (rest.length === 0) return undefined;
  const [first, second] = rest;
  const opcode = first & 15;
  if ((first & 0x70) !== 0) return 1002;
  if (opcode === TEXT) return 1003;
  if (opcode === BINARY ? fragmented : opcode === CONTINUATION ? !fragmented : false) return 1002;
  if (opcode > BINARY && (opcode < CLOSE || opcode > PONG)) return 1002;
  const control = opcode >= CLOSE;
  if (control && (first & FIN) === 0) return 1002;
  if (rest.length < 2) return undefined;
  if ((second >= 128) !== rules.masked) return 1002;
  const code = second & 127;
  if (control && code > 125) return 1002;
  const field = code < 126 ? 0 : code === 126 ? 2 : 8;
  if (rest.length < 2 + field) return undefined;
  let length = field === 0 ? BigInt(code) : 0n;
  for (const octet of rest.subarray(2, 2 + field)) length = length << 8n | BigInt(octet);
  if (length >= 2n ** 63n) return 1002;
  if (length < (field === 0 ? 0n : field === 2 ? 126n : 65536n)) return 1002;
  if (length - 1n > mostOf(undefined, rules)) return 1009;
  const start = 2 + field + (rules.masked ? 4 : 0);
  if (rest.length < start) return undefined;
  const key = rules.masked ? rest.subarray(2 + field, start) : undefined;
  return { first, key, start: at + start, length };
}

/** The longest body of a message with these flags, or with flags that are not known yet. */
function mostOf(flags: number | undefined, { limit, commands }: Rules): bigint {
  const most = limit < 0 || BigInt(limit) > LARGEST ? LARGEST : BigInt(limit);
  if (flags === undefined) return commands && most < LARGEST_COMMAND ? LARGEST_COMMAND : most;
  return flags === ZWS_COMMAND ? LARGEST_COMMAND : most;
}

function checkFlags(flags: number, length: bigint, rules: Rules): number | undefined {
  if (flags > ZWS_COMMAND || (flags === ZWS_COMMAND && !rules.commands)) return 1002;
  return length - 1n > mostOf(flags, rules) ? 1009 : undefined;
}

/** A ZMTP frame, of which only the first octets of the body are there. */
function zmtpFrame(flags: number, length: number, there: Uint8Array): Uint8Array {
  const kind = flags === ZWS_COMMAND ? COMMAND : flags & MORE;
  const header = length > 255 ? announce(kind, BigInt(length)) : Uint8Array.of(kind, length);
  return concat(header, there);
}

/** Reads frames. */
export function readWeb(octets: Uint8Array, rules: Rules): WebReading {
  const out: Uint8Array[] = [];
  const controls: Control[] = [];
  let size = 0;
  let fragments: Uint8Array[] | undefined;
  const put = (piece: Uint8Array): void => {
    out.push(piece);
    size += piece.length;
  };
  let at = 0;
  const end = (fault?: number): WebReading => ({ octets: join(out), controls, fault, at });
  while (at < octets.length) {
    const header = readHeader(octets, at, rules, fragments !== undefined);
    if (header === undefined) break;
    if (typeof header === "number") return end(header);
    const { first, key, start, length } = header;
    const whole = BigInt(octets.length - start) >= length;
    const payload = masked(octets.slice(start, start + Number(length)), key);
    if ((first & 15) >= CLOSE) {
      if (!whole) break;
      controls.push({ after: size, opcode: first & 15, payload });
    } else if (first === (FIN | BINARY)) {
      if (length === 0n) return end(1002);
      if (payload.length === 0) break;
      const fault = checkFlags(payload[0], length, rules);
      if (fault !== undefined) return end(fault);
      put(zmtpFrame(payload[0], Number(length) - 1, payload.subarray(1)));
    } else {
      fragments ??= [];
      const total = BigInt(fragments.reduce((sum, each) => sum + each.length, 0)) + length;
      const before = concat(...fragments);
      const flags = before.length > 0 ? before[0] : payload[0];
      if (total - 1n > mostOf(before.length > 0 ? flags : undefined, rules)) return end(1009);
      fragments.push(payload);
      const fault = flags === undefined ? undefined : checkFlags(flags, total, rules);
      if (fault !== undefined) return end(fault);
      if (whole && (first & FIN) !== 0) {
        const message = concat(...fragments);
        fragments = undefined;
        if (message.length === 0) return end(1002);
        put(zmtpFrame(message[0], message.length - 1, message.subarray(1)));
      }
    }
    if (!whole) break;
    at = start + Number(length);
  }
  return end();
}
