// The golden vectors of PLAIN.

import plain from "../conformance/vectors/plain.json" with { type: "json" };
import { expand } from "./vectors.ts";

/** A command frame; of a HELLO with its credentials. */
export interface PlainVector {
  readonly id: string;
  readonly meaning: string;
  readonly octets: Uint8Array;
  readonly username: Uint8Array | undefined;
  readonly password: Uint8Array | undefined;
}

/** All of them. */
export const PLAIN_COMMANDS: readonly PlainVector[] = plain.commands.map((vector) => ({
  id: vector.id,
  meaning: vector.meaning,
  octets: expand(vector.hex),
  username: vector.username === undefined ? undefined : expand(vector.username),
  password: vector.password === undefined ? undefined : expand(vector.password),
}));

/** The octets of the vector with this name. */
export function plainVector(id: string): Uint8Array {
  const found = PLAIN_COMMANDS.find((vector) => vector.id === id);
  if (found === undefined) throw new Error(`There is no vector ${id}`);
  return found.octets;
}
