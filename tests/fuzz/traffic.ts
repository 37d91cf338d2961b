// What the octets of a whole NULL connection say to one side, from the first one on: the opening of any version, READY, and
// then frames, read as plainly as it can be written.

import { LONG } from "../core/models/frame_model.ts";
import { concat } from "../_util/octets.ts";
import { textOf } from "../_util/bytes.ts";
import { encodeFrame, MORE } from "../core/models/frame_model.ts";
import { fits } from "./targets/commands.ts";
import { type Limits, NO_LIMITS, type Reading, readPlainly } from "./reading.ts";

const GREETING = 64;
const MALFORMED = "ERR_ZMTP_MALFORMED_COMMAND_UNSPECIFIED";

/** What came to the side. */
export type Traffic = Pick<Reading, "messages" | "fault">;

const NOTHING: Traffic = { messages: [], fault: undefined };

function sizeOf(octets: Uint8Array): bigint {
  return octets.reduce((sum, octet) => sum * 256n + BigInt(octet), 0n);
}

/** Reads what was delivered to a side; nothing is said about faults before traffic. */
export function readTraffic(
  octets: Uint8Array,
  { limits = NO_LIMITS }: { readonly limits?: Limits; readonly type?: string },
): Traffic {
  if (octets.length > 0 && octets[0] !== 0xff) {
    return readOld(octets.subarray(1 + octets[0]), limits);
  }
  if (octets.length < 10) return NOTHING;
  if ((octets[9] & 1) === 0) {
    const end = 9n + sizeOf(octets.subarray(1, 9));
    return end > octets.length ? NOTHING : readOld(octets.subarray(Number(end)), limits);
  }
  if (octets.length < 14) return NOTHING;
  if (octets[10] < 3) {
    return withCommands(octets.subarray(14 + octets[13]), limits, () => false);
  }
  const ready = octets.subarray(GREETING);
  if (ready.length < 2) return NOTHING;
  const start = ready[0] & LONG ? 9 : 2;
  const end = BigInt(start) + sizeOf(ready.subarray(1, start));
  if (end > ready.length) return NOTHING;
  return withCommands(ready.subarray(Number(end)), limits, isSound);
}

/** A command that is no command ends the connection; what came before it was received. */
function withCommands(
  octets: Uint8Array,
  limits: Limits,
  sound: (body: Uint8Array) => boolean,
): Traffic {
  const { messages, commands, fault } = readPlainly(octets, limits);
  const bad = commands.find(({ body }) => !sound(body));
  return bad === undefined
    ? { messages, fault }
    : { messages: messages.slice(0, bad.after), fault: MALFORMED };
}

/** It has a name of letters, and what belongs to that. */
function isSound(body: Uint8Array): boolean {
  const [size = 0] = body;
  if (size === 0x5e && textOf(body.subarray(1, 5)) === "RROR" && body.length - 6 === body[5]) {
    return true;
  }
  const name = textOf(body.subarray(1, 1 + size));
  if (size === 0 || body.length < 1 + size || !/^[A-Za-z]+$/.test(name)) return false;
  return fits(name, body.length - 1 - size);
}

/** Frames of ZMTP 1.0. */
export function readOld(octets: Uint8Array, limits: Limits): Traffic {
  const frames: Uint8Array[] = [];
  let fault: string | undefined;
  for (let at = 0; at < octets.length;) {
    const header = octets[at] === 255 ? 10 : 2;
    if (octets.length - at < header) break;
    const size = header === 2 ? BigInt(octets[at]) : sizeOf(octets.subarray(at + 1, at + 9));
    if (size === 0n) {
      fault = MALFORMED;
      break;
    }
    const flags = octets[at + header - 1] & MORE;
    const end = BigInt(at + header) + size - 1n;
    if (end > BigInt(octets.length)) {
      // What is announced counts at once.
      const announced = new Uint8Array(9);
      announced[0] = flags | LONG;
      new DataView(announced.buffer).setBigUint64(1, size - 1n);
      frames.push(announced);
      break;
    }
    frames.push(encodeFrame(flags, octets.subarray(at + header, Number(end))));
    at = Number(end);
  }
  const reading = readPlainly(concat(...frames), limits);
  return { messages: reading.messages, fault: reading.fault ?? fault };
}
