// The receiving half of a connection: any octets, cut anywhere, give what a plain reading of them gives.

import { CoreMemory } from "../../../src/core/memory.ts";
import { drawCuts, drawLimits, drawStream, pieces } from "../draws.ts";
import { Feeding } from "../feeding.ts";
import { type Limits, readPlainly } from "../reading.ts";
import type { Target } from "../target.ts";

interface Input {
  readonly octets: Uint8Array;
  readonly cuts: readonly number[];
  readonly limits: Limits;
  /** The most that one read brings. */
  readonly largest: number;
}

/** What one receiver gives back the next one gets, dirty. */
const memory = new CoreMemory();

export const receiver: Target<Input> = {
  name: "receiver",
  draw: (tape) => ({
    octets: drawStream(tape),
    cuts: drawCuts(tape),
    limits: drawLimits(tape),
    largest: tape.pick([256 * 1024, 4_096, 8_192, 256]),
  }),
  check({ octets, cuts, limits, largest }) {
    const feeding = new Feeding(memory, limits, largest);
    let turn = 0;
    for (const piece of pieces(octets, cuts)) {
      feeding.read(piece);
      if (++turn % 3 === 0) feeding.take(2);
    }
    feeding.compare(readPlainly(octets, limits));
    feeding.end();
  },
};
