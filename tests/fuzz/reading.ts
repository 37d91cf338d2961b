// What a stream of frames says, read as plainly as it can be written: all of it at once, one frame after the other.

import { COMMAND, LONG, MORE } from "../core/models/frame_model.ts";

/** What a peer may send at most, as the receiver takes it. */
export interface Limits {
  /** Octets of a frame; negative for no limit. */
  readonly frame: number;
  /** Frames of a message; 0 for any number. */
  readonly parts: number;
  /** Octets of all frames of a message; negative for no limit. */
  readonly message: number;
}

export const NO_LIMITS: Limits = { frame: -1, parts: 0, message: -1 };

/** What came whole, up to the end or to the first fault. */
export interface Reading {
  readonly messages: Uint8Array[][];
  readonly commands: { readonly after: number; readonly body: Uint8Array }[];
  readonly fault: string | undefined;
}

const MALFORMED = "ERR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED";
const TOO_LARGE = "EMSGSIZE";
const LARGEST = 2n ** 31n - 1n;
const LARGEST_COMMAND = 65_536n;

function least(limit: number): bigint {
  return limit < 0 || BigInt(limit) > LARGEST ? LARGEST : BigInt(limit);
}

/**
 * Reads frames of ZMTP 3. Only the messages whose first frame is wanted are kept, and only their frames count together; each
 * frame by itself is held against the limits all the same.
 */
export function readPlainly(
  octets: Uint8Array,
  limits: Limits = NO_LIMITS,
  wants: (first: Uint8Array) => boolean = () => true,
): Reading {
  const messages: Uint8Array[][] = [];
  const commands: { after: number; body: Uint8Array }[] = [];
  let frames: Uint8Array[] = [];
  const until = (fault?: string): Reading => ({ messages, commands, fault });
  let at = 0;
  while (octets.length - at >= 2) {
    const flags = octets[at];
    if ((flags & LONG) !== 0 && flags > 7) return until(MALFORMED);
    const start = at + (flags & LONG ? 9 : 2);
    if (start > octets.length) break;
    if (flags > 7 || (flags & COMMAND && flags & MORE)) return until(MALFORMED);
    let size = 0n;
    for (const octet of octets.subarray(at + 1, start)) size = size * 256n + BigInt(octet);
    if (flags & COMMAND) {
      if (size > LARGEST_COMMAND) return until(TOO_LARGE);
    } else {
      const wanted = frames.length > 0 && wants(frames[0]);
      const counted = wanted ? frames : [];
      const before = counted.reduce((sum, frame) => sum + frame.length, 0);
      if (size > least(limits.frame)) return until(TOO_LARGE);
      if (limits.parts > 0 && counted.length === limits.parts) return until(TOO_LARGE);
      if (size + BigInt(before) > least(limits.message)) return until(TOO_LARGE);
    }
    at = start + Number(size);
    if (at > octets.length) break;
    const body = octets.subarray(start, at);
    if (flags & COMMAND) {
      commands.push({ after: messages.length, body });
      continue;
    }
    frames.push(body);
    if (flags & MORE) continue;
    if (wants(frames[0])) messages.push(frames);
    frames = [];
  }
  return until();
}
