// Inputs that several targets need, made from a tape.

import { concat, pattern } from "../_util/octets.ts";
import {
  announce,
  COMMAND,
  encodeFrame,
  encodeMessage,
  LONG,
  MORE,
} from "../core/models/frame_model.ts";
import { CORPUS } from "./corpus.ts";
import { maybeMutate } from "./mutate.ts";
import type { Limits } from "./reading.ts";
import type { Tape } from "./tape.ts";

/** Around the borders of header forms, regions, slabs, and of what is kept by reference. */
const BORDERS = [255, 1_015, 1_024, 4_087, 4_096, 8_192, 16_375, 16_384, 32_768, 65_536, 131_072];

/** The size of a body: short ones are the rule, those at a border come often. */
export function drawSize(tape: Tape, most = 140_000): number {
  switch (tape.pick([0, 0, 0, 0, 0, 1, 1, 2, 3])) {
    case 1:
      return Math.min(most, tape.between(240, 270));
    case 2:
      return Math.min(most, tape.pick(BORDERS) - 10 + tape.below(21));
    case 3:
      return Math.min(most, tape.below(40_000));
  }
  return Math.min(most, tape.below(40));
}

/** A body, of which only the size and a seed stand on the tape. */
export function drawBody(tape: Tape, most?: number): Uint8Array<ArrayBuffer> {
  return pattern(drawSize(tape, most), tape.octet());
}

/** The frames of a message. */
export function drawMessage(tape: Tape, most?: number): Uint8Array[] {
  return Array.from({ length: tape.pick([1, 1, 1, 2, 3, 5]) }, () => drawBody(tape, most));
}

/** How a stream is cut into reads; used in turn. */
export function drawCuts(tape: Tape): number[] {
  const most = tape.pick([300_000, 5_000, 20, 1]);
  return Array.from({ length: tape.between(1, 4) }, () => tape.between(1, most));
}

/** What a receiver allows: mostly everything. */
export function drawLimits(tape: Tape): Limits {
  return {
    frame: tape.pick([-1, -1, -1, -1, 0, 1, 39, 255, 256, 5_000, 70_000]),
    parts: tape.pick([0, 0, 0, 0, 1, 2, 3]),
    message: tape.pick([-1, -1, -1, -1, 0, 20, 300, 5_000, 70_000]),
  };
}

/** Octets of frames, or what looks like them. */
function drawPiece(tape: Tape): Uint8Array {
  switch (tape.pick([0, 0, 0, 0, 1, 1, 2, 3, 4])) {
    case 1:
      return encodeFrame(COMMAND | (tape.oneIn(6) ? LONG : 0), drawBody(tape, 65_536));
    case 2:
      return tape.pick(CORPUS);
    case 3:
      return tape.octets(tape.between(1, 12));
    case 4:
      return announce(tape.pick([0, MORE, COMMAND]), BigInt(tape.below(2 ** 32 - 1)));
  }
  return encodeFrame((tape.oneIn(3) ? MORE : 0) | (tape.oneIn(6) ? LONG : 0), drawBody(tape));
}

/** A stream of frames that may go wrong anywhere. */
export function drawStream(tape: Tape): Uint8Array {
  return maybeMutate(tape, concat(...tape.list(30, () => drawPiece(tape))));
}

/** A stream of whole messages. */
export function drawMessages(tape: Tape, most: number, size?: number): Uint8Array[][] {
  return tape.list(most, () => drawMessage(tape, size));
}

/** Messages as they lie on the wire. */
export function wireOf(messages: readonly (readonly Uint8Array[])[]): Uint8Array {
  return concat(...messages.map(encodeMessage));
}

/** The pieces of a stream as reads of these sizes give them. */
export function* pieces(octets: Uint8Array, sizes: readonly number[]): Generator<Uint8Array> {
  let at = 0;
  for (let i = 0; at < octets.length; i++) {
    const end = at + sizes[i % sizes.length];
    yield octets.subarray(at, end);
    at = end;
  }
}

/** A short topic: many are the start of others. */
export function drawTopic(tape: Tape): Uint8Array {
  const size = tape.pick([0, 1, 1, 2, 3, 4, 7, 15, 16, 17, 44, 45, 492, 1_004]);
  const topic = new Uint8Array(size).fill(tape.pick([97, 98]));
  for (let i = Math.max(0, size - 4); i < size; i++) topic[i] = tape.pick([97, 97, 98, 0, 255]);
  return topic;
}

/** Text that may hold anything a parser of text looks at. */
export function drawText(tape: Tape, words: readonly string[], most = 12): string {
  const parts = tape.list(most, () => {
    switch (tape.pick([0, 0, 0, 1, 2])) {
      case 1:
        return String.fromCharCode(tape.between(32, 126));
      case 2:
        return tape.pick(["\0", "\n", "\r", "\t", "\v", "\ud800", "\u{1f600}", "é", "\u2028"]);
    }
    return tape.pick(words);
  });
  return parts.join("");
}
