// The golden vectors: octets with what they mean, from the RFCs and from libzmq's own wire. They are data, so that the
// same table drives readers and writers.

import zmtp3 from "../conformance/vectors/zmtp3.json" with { type: "json" };
import { fromHex } from "./bytes.ts";

interface Vector {
  readonly id: string;
  readonly meaning: string;
  readonly octets: Uint8Array;
}

/** A message, or several, as frames. */
export interface FrameVector extends Vector {
  readonly messages: Uint8Array[][];
  /** False for what is accepted but never sent. */
  readonly emitted: boolean;
}

/** A greeting. */
export interface GreetingVector extends Vector {
  readonly major: number;
  readonly minor: number;
  readonly mechanism: string;
  readonly asServer: boolean;
}

/** A command frame; its data stands as octets, as properties or as a reason. */
export interface CommandVector extends Vector {
  readonly size: number;
  readonly name: string;
  readonly data: Uint8Array | undefined;
  readonly properties: [string, Uint8Array][] | undefined;
  readonly reason: string | undefined;
}

/** The octets of a compact text: `n*hh` stands for `n` times the octet `hh`. */
export function expand(text: string): Uint8Array {
  return fromHex(
    text.replaceAll(/(\d+)\*([0-9a-f]{2})/g, (_, count, octet) => octet.repeat(Number(count))),
  );
}

/** Frames of messages. */
export const FRAMES: readonly FrameVector[] = zmtp3.frames.map((vector) => ({
  id: vector.id,
  meaning: vector.meaning,
  octets: expand(vector.hex),
  messages: vector.messages.map((frames) => frames.map(expand)),
  emitted: vector.emitted ?? true,
}));

/** Greetings of ZMTP 3. */
export const GREETINGS: readonly GreetingVector[] = zmtp3.greetings.map(({ hex, ...vector }) => ({
  ...vector,
  octets: expand(hex),
}));

/** Commands of the handshake and of traffic. */
export const COMMANDS: readonly CommandVector[] = zmtp3.commands.map((vector) => ({
  id: vector.id,
  meaning: vector.meaning,
  octets: expand(vector.hex),
  size: vector.size,
  name: vector.name,
  data: vector.data === undefined ? undefined : expand(vector.data),
  properties: vector.properties?.map(([name, value]) => [name, expand(value)]),
  reason: vector.reason,
}));

/** The octets of the vector with this name. */
export function vector(id: string): Uint8Array {
  const found = [...FRAMES, ...GREETINGS, ...COMMANDS].find((entry) => entry.id === id);
  if (found === undefined) throw new Error(`There is no vector ${id}`);
  return found.octets;
}
