// What the two servers of a pair tell each other: one frame of text, "state term", the state as the guide's number. The
// guide's programs send the state alone and read no further than that.

import type { Frame } from "../../../mod.ts";
import type { BinaryStarState } from "./machine.ts";

const STATES: readonly BinaryStarState[] = ["primary", "backup", "active", "passive"];
const STATUS = /^([1-4])(?: (\d{1,15}))?$/;
const LONGEST = 20;

/** A state as it is sent. */
export function writeStatus(state: BinaryStarState, term: number): string {
  return `${STATES.indexOf(state) + 1} ${term}`;
}

/** A state as it was received; undefined when it is none. */
export function readStatus(
  frames: readonly Frame[],
): { readonly state: BinaryStarState; readonly term: number } | undefined {
  if (frames.length !== 1 || frames[0].length > LONGEST) return undefined;
  const match = STATUS.exec(frames[0].toString());
  return match ? { state: STATES[Number(match[1]) - 1], term: Number(match[2] ?? 0) } : undefined;
}
