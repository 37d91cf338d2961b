// A subscriber's filter beside the scanner: the same messages, commands and faults as reading all and choosing then.

import { CoreMemory } from "../../../src/core/memory.ts";
import { Topics } from "../../../src/core/topics.ts";
import { concat } from "../../_util/octets.ts";
import { wanting } from "../../core/models/filter_model.ts";
import { COMMAND, encodeFrame, MORE } from "../../core/models/frame_model.ts";
import { drawBody, drawCuts, drawLimits, drawTopic, pieces } from "../draws.ts";
import { Feeding } from "../feeding.ts";
import { maybeMutate } from "../mutate.ts";
import { type Limits, readPlainly } from "../reading.ts";
import type { Tape } from "../tape.ts";
import type { Target } from "../target.ts";

interface Input {
  readonly octets: Uint8Array;
  readonly cuts: readonly number[];
  readonly topics: readonly Uint8Array[];
  readonly inverted: boolean;
  readonly limits: Limits;
}

const memory = new CoreMemory();

function drawFrame(tape: Tape): Uint8Array {
  if (tape.oneIn(8)) return encodeFrame(COMMAND, drawBody(tape, 3_000));
  const tail = tape.oneIn(2) ? drawBody(tape) : new Uint8Array(0);
  return encodeFrame(tape.oneIn(3) ? MORE : 0, concat(drawTopic(tape), tail));
}

export const filter: Target<Input> = {
  name: "filter",
  draw: (tape) => ({
    octets: maybeMutate(tape, concat(...tape.list(30, () => drawFrame(tape)))),
    cuts: drawCuts(tape),
    topics: tape.list(4, () => drawTopic(tape)),
    inverted: tape.oneIn(4),
    limits: drawLimits(tape),
  }),
  check({ octets, cuts, topics, inverted, limits }) {
    const own = new Topics(memory);
    for (const topic of topics) own.add(topic);
    const feeding = new Feeding(memory, limits, 256 * 1024, { topics: own, inverted });
    for (const piece of pieces(octets, cuts)) feeding.read(piece);
    feeding.compare(readPlainly(octets, limits, wanting(topics, inverted)));
    feeding.end();
    own.free();
  },
};
