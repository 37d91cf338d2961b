// The frames of ZMTP 1.0, both ways: any octets cut anywhere are received as a plain reading has them, and what is written,
// with connections that break in between, is every message once for each connection that it did not leave whole on.

import { concat as join } from "../../../src/octets.ts";
import { assertEquals } from "@std/assert";
import { CoreMemory } from "../../../src/core/memory.ts";
import { Outbox } from "../../../src/core/outbox.ts";
import { Zmtp1Flight } from "../../../src/core/zmtp1.ts";
import { assertMessages, concat } from "../../_util/octets.ts";
import { drawBody, drawCuts, drawLimits, drawMessages, pieces } from "../draws.ts";
import { Feeding } from "../feeding.ts";
import { maybeMutate } from "../mutate.ts";
import { type Limits, NO_LIMITS } from "../reading.ts";
import type { Tape } from "../tape.ts";
import type { Target } from "../target.ts";
import { readOld } from "../traffic.ts";

interface Input {
  readonly octets: Uint8Array;
  readonly cuts: readonly number[];
  readonly limits: Limits;
  readonly messages: readonly (readonly Uint8Array[])[];
  /** Octets of each write, in turn; the connection breaks after so many octets, once. */
  readonly writes: readonly number[];
  readonly breakAt: number;
}

const memory = new CoreMemory();
const BATCH = 256 * 1024;

/** A frame: the size counts the flags. */
function drawOld(tape: Tape): Uint8Array {
  const body = drawBody(tape);
  const flags = tape.oneIn(8) ? tape.octet() : tape.pick([0, 0, 1]);
  if (body.length < 254 && !tape.oneIn(6)) {
    return concat(Uint8Array.of(1 + body.length, flags), body);
  }
  const header = new Uint8Array(10);
  header[0] = 255;
  new DataView(header.buffer).setBigUint64(1, BigInt(1 + body.length));
  header[9] = flags;
  return concat(header, body);
}

export const zmtp1: Target<Input> = {
  name: "zmtp1",
  draw: (tape) => ({
    octets: maybeMutate(tape, concat(...tape.list(12, () => drawOld(tape)))),
    cuts: drawCuts(tape),
    limits: drawLimits(tape),
    messages: drawMessages(tape, 20, tape.oneIn(4) ? undefined : 600),
    writes: drawCuts(tape),
    breakAt: tape.below(20_000),
  }),
  check(input) {
    const { octets, cuts, limits } = input;
    const feeding = new Feeding(memory, limits, BATCH, undefined, true);
    for (const piece of pieces(octets, cuts)) feeding.read(piece);
    feeding.compare({ ...readOld(octets, limits), commands: [] });
    feeding.end();
    checkWriting(input);
  },
};

function checkWriting({ messages, writes, breakAt }: Input): void {
  const outbox = new Outbox(memory.outboxes);
  for (const frames of messages) outbox.append(frames.length === 1 ? frames[0] : [...frames]);
  const first = write(outbox, writes, breakAt);
  const whole = readOld(first, NO_LIMITS).messages;
  assertMessages(whole, messages.slice(0, whole.length));
  assertEquals(outbox.messagesSent, whole.length);
  const second = readOld(write(outbox, writes, Infinity), NO_LIMITS).messages;
  assertMessages(second, messages.slice(whole.length));
  assertEquals([outbox.empty, outbox.messagesSent], [true, messages.length]);
  outbox.free();
}

/** What leaves over one connection until it breaks. */
function write(outbox: Outbox, writes: readonly number[], most: number): Uint8Array {
  const flight = new Zmtp1Flight(memory.outboxes, outbox);
  const out: Uint8Array[] = [];
  let size = 0;
  for (let turn = 0; size < most && (flight.inFlight || flight.take(BATCH)); turn++) {
    const octets = flight.next();
    const taken = octets.slice(0, Math.min(writes[turn % writes.length], most - size));
    out.push(taken);
    size += taken.length;
    flight.advance(taken.length);
  }
  flight.rewind();
  return join(out);
}
