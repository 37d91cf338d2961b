// ZMTP 3 framing as plainly as it can be written (RFC 37, "Framing"): what the core's scanner and the receiver must agree
// with. Whole octet strings in, values out; no state, no speed.

/** The flag bits of a frame. */
export const MORE = 1;
/** The size field has eight octets. */
export const LONG = 2;
/** The frame is a command. */
export const COMMAND = 4;

/** The codes of the two ways in which framing can be wrong. */
export const BAD_FLAGS = "ERR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED";
/** See `BAD_FLAGS`. */
export const BAD_SIZE = "EMSGSIZE";

const LARGEST_BODY = 2n ** 31n - 1n;
const LARGEST_COMMAND = 65536n;

/** A frame's header: `undefined` when it is not complete, a code when it is wrong. */
export interface Header {
  readonly flags: number;
  readonly start: number;
  readonly size: number;
}

/** The octets of a frame; `LONG` in `flags` asks for the long form of a short body. */
export function encodeFrame(flags: number, body: Uint8Array): Uint8Array<ArrayBuffer> {
  const long = body.length > 255 || (flags & LONG) !== 0;
  const header = long ? [flags | LONG, ...bigEndian(BigInt(body.length))] : [flags, body.length];
  const octets = new Uint8Array(header.length + body.length);
  octets.set(header);
  octets.set(body, header.length);
  return octets;
}

/** The header of a long frame, whatever size it announces. */
export function announce(flags: number, size: bigint): Uint8Array<ArrayBuffer> {
  return Uint8Array.from([flags | LONG, ...bigEndian(size)]);
}

/** The octets of a message. */
export function encodeMessage(frames: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const parts = frames.map((body, i) => encodeFrame(i < frames.length - 1 ? MORE : 0, body));
  const octets = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    octets.set(part, at);
    at += part.length;
  }
  return octets;
}

function bigEndian(value: bigint): number[] {
  return Array.from({ length: 8 }, (_, i) => Number((value >> BigInt(56 - 8 * i)) & 0xffn));
}

/** Reads the header at `at`. */
export function readHeader(
  octets: Uint8Array,
  at: number,
  limit: number,
): Header | string | undefined {
  const flags = octets[at];
  const start = at + (flags & LONG ? 9 : 2);
  if (start > octets.length) return undefined;
  if (flags > 7 || (flags & COMMAND && flags & MORE)) return BAD_FLAGS;
  let size = 0n;
  for (let i = at + 1; i < start; i++) size = size << 8n | BigInt(octets[i]);
  const most = flags & COMMAND
    ? LARGEST_COMMAND
    : limit < 0 || BigInt(limit) > LARGEST_BODY
    ? LARGEST_BODY
    : BigInt(limit);
  return size > most ? BAD_SIZE : { flags, start, size: Number(size) };
}

/** What a stream of octets says, up to its end or its first fault. */
export interface Reading {
  readonly messages: Uint8Array[][];
  /** The bodies of the commands, and how many messages were complete before each. */
  readonly commands: { readonly after: number; readonly body: Uint8Array }[];
  readonly fault: string | undefined;
}

/** Reads a stream; frames of a message that is not complete are left out. */
export function readStream(octets: Uint8Array, limit = -1): Reading {
  const messages: Uint8Array[][] = [];
  const commands: { after: number; body: Uint8Array }[] = [];
  let frames: Uint8Array[] = [];
  for (let at = 0; at < octets.length;) {
    const header = readHeader(octets, at, limit);
    if (typeof header === "string") return { messages, commands, fault: header };
    if (header === undefined || header.start + header.size > octets.length) break;
    at = header.start + header.size;
    const body = octets.subarray(header.start, at);
    if (header.flags & COMMAND) {
      commands.push({ after: messages.length, body });
      continue;
    }
    frames.push(body);
    if (header.flags & MORE) continue;
    messages.push(frames);
    frames = [];
  }
  return { messages, commands, fault: undefined };
}

/** What one call of the core's `scan` leaves, with places counted from the start of the octets. */
export interface Scan {
  readonly status:
    | "done"
    | "command"
    | "again"
    | "bad flags"
    | "bad size"
    | "bad parts"
    | "bad total";
  readonly next: number;
  /** Frames and octets so far of the message that goes on. */
  readonly parts: number;
  readonly octets: number;
  /** The size of the frame at `next` in all; 0 when nothing can be said about it. */
  readonly need: number;
  /** Start, size and finished messages of each run. */
  readonly runs: [number, number, number][];
  /** Start and size of the body, when a command was reached. */
  readonly command: [number, number] | undefined;
}

/** What is refused: see the options `maxMessageSize`, `maxMessageParts`, `maxMultipartSize`. */
export interface ScanLimits {
  readonly frame: number;
  readonly parts: number;
  readonly message: number;
}

/** The widest that the core knows. */
export const UNLIMITED: ScanLimits = { frame: -1, parts: 2 ** 32 - 1, message: 2 ** 31 - 1 };

/** Where a scan begins. */
export interface ScanState {
  readonly at: number;
  readonly parts: number;
  readonly octets: number;
}

/** No run of several frames is longer. */
const LONGEST_RUN = 65_536;

/**
 * Scans as the core does: a run of whole frames ends before it would pass `slab` octets, unless it is still no longer than
 * four times the frame that would be its last.
 */
export function scanOnce(
  octets: Uint8Array,
  state: ScanState,
  limits: ScanLimits,
  slab: number,
  runLimit: number,
): Scan {
  let { at, parts, octets: total } = state;
  const runs: [number, number, number][] = [];
  let run: [number, number, number] = [at, 0, 0];
  const answer = (status: Scan["status"], next: number, rest: Partial<Scan> = {}): Scan => {
    if (run[1] > 0) runs.push(run);
    return { status, next, parts, octets: total, need: 0, runs, command: undefined, ...rest };
  };
  while (at < octets.length) {
    const header = readHeader(octets, at, limits.frame);
    if (header === BAD_FLAGS) return answer("bad flags", at);
    if (header === BAD_SIZE) return answer("bad size", at);
    if (header === undefined || typeof header === "string") break;
    const { flags, start, size } = header;
    const end = start + size;
    if (!(flags & COMMAND)) {
      if (parts + 1 > limits.parts) return answer("bad parts", at);
      if (total + size > limits.message) return answer("bad total", at);
    }
    if (end > octets.length) return answer("done", at, { need: end - at });
    if (flags & COMMAND) return answer("command", end, { command: [start, size] });
    const most = Math.max(slab, Math.min(4 * (end - at), LONGEST_RUN));
    if (run[1] > 0 && run[1] + end - at > most) {
      runs.push(run);
      run = [at, 0, 0];
      if (runs.length === runLimit - 1) return answer("again", at);
    }
    const more = flags & MORE;
    parts = more * (parts + 1);
    total = more * (total + size);
    run = [run[0], run[1] + end - at, run[2] + 1 - more];
    at = end;
  }
  return answer("done", at);
}
