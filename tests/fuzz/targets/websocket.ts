// The frames of a WebSocket, both ways: any octets cut anywhere are received as a plain reading has them, and what is written,
// with connections that break in between, is every message once for each connection that it did not leave whole on.

import { assertEquals } from "@std/assert";
import { CoreMemory } from "../../../src/core/memory.ts";
import { Outbox } from "../../../src/core/outbox.ts";
import { WebSocketReader } from "../../../src/core/websocket_reader.ts";
import { WebSocketWriter } from "../../../src/core/websocket_writer.ts";
import { concat as join } from "../../../src/octets.ts";
import { WebSocketFault } from "../../../src/wire/websocket/fault.ts";
import { assertMessages, assertOctets, concat } from "../../_util/octets.ts";
import {
  type Control,
  encodeWeb,
  encodeWebMessage,
  FIN,
  readWeb,
  type Rules,
} from "../../core/models/websocket_model.ts";
import { drawBody, drawCuts, drawMessages, pieces } from "../draws.ts";
import { maybeMutate } from "../mutate.ts";
import { readPlainly } from "../reading.ts";
import type { Tape } from "../tape.ts";
import { checkProtocolError, type Target } from "../target.ts";

interface Input {
  readonly octets: Uint8Array;
  readonly cuts: readonly number[];
  readonly rules: Rules;
  /** The most octets that what is read is given on in. */
  readonly takes: number;
  readonly messages: readonly (readonly Uint8Array[])[];
  /** Octets of each write, in turn; the connection breaks after so many octets, once. */
  readonly writes: readonly number[];
  readonly breakAt: number;
}

/** What one reader gives back the next one gets, dirty. */
const memory = new CoreMemory();
const BATCH = 256 * 1024;
/** More than the region that is read into. */
const MOST_READ = 512 * 1024;

function drawRules(tape: Tape): Rules {
  return {
    masked: tape.oneIn(2),
    limit: tape.pick([-1, -1, -1, -1, 0, 1, 39, 255, 256, 5_000, 70_000]),
    commands: !tape.oneIn(4),
  };
}

/** A frame, or the frames of a message; mostly as they should be. */
function drawFrames(tape: Tape, rules: Rules): Uint8Array {
  const masked = tape.oneIn(40) ? !rules.masked : rules.masked;
  const key = masked ? tape.octets(4) : undefined;
  switch (tape.pick([0, 0, 0, 0, 1, 2, 3, 4])) {
    case 1:
      return encodeWeb(FIN | tape.pick([8, 9, 10]), drawBody(tape, 125), { key });
    case 2:
      return encodeWeb(tape.octet(), drawBody(tape), { key });
    case 3:
      return encodeWeb(tape.pick([0x82, 2, 0]), tape.octets(tape.below(12)), {
        key,
        field: tape.pick([2, 8]),
        length: BigInt(tape.below(2 ** 32 - 1)) << BigInt(tape.pick([0, 8, 31])),
      });
    case 4:
      return encodeWebMessage(
        tape.pick([0, 1, 2]),
        drawBody(tape),
        key,
        tape.list(3, () => tape.below(300)),
      );
  }
  return encodeWebMessage(
    tape.oneIn(12) ? tape.octet() : tape.pick([0, 0, 1]),
    drawBody(tape),
    key,
  );
}

export const webSocket: Target<Input> = {
  name: "websocket",
  draw(tape) {
    const rules = drawRules(tape);
    return {
      octets: maybeMutate(tape, concat(...tape.list(16, () => drawFrames(tape, rules)))),
      cuts: drawCuts(tape),
      rules,
      takes: tape.pick([4_096, 1, 9, 70_000]),
      messages: drawMessages(tape, 20, tape.oneIn(4) ? undefined : 600),
      writes: drawCuts(tape),
      breakAt: tape.below(20_000),
    };
  },
  check(input) {
    checkReading(input);
    checkWriting(input);
  },
};

function checkReading({ octets, cuts, rules, takes }: Input): void {
  const out: Uint8Array[] = [];
  const controls: Control[] = [];
  let size = 0;
  const target = new Uint8Array(takes);
  const to = {
    target: () => target.fill(0xee, 0, 300),
    filled(count: number) {
      out.push(target.slice(0, count));
      size += count;
    },
  };
  const control = (opcode: number, payload: Uint8Array): void => {
    controls.push({ after: size, opcode, payload: payload.slice() });
  };
  const reader = new WebSocketReader(memory, to, { control }, rules);
  const fault = feed(reader, octets, cuts);
  const expected = readWeb(octets, rules);
  assertEquals(fault?.closeCode, expected.fault);
  assertOctets(join(out), expected.octets, "ZMTP");
  assertEquals(controls, expected.controls);
  reader.free();
}

/** Reads until a fault; what is lent is filled with rubbish. */
function feed(
  reader: WebSocketReader,
  octets: Uint8Array,
  cuts: readonly number[],
): WebSocketFault | undefined {
  for (const piece of pieces(octets, cuts)) {
    for (let at = 0; at < piece.length;) {
      const target = reader.target();
      if (target.length === 0) throw new Error("there is no room for a read");
      if (target.length > MOST_READ) throw new Error(`${target.length} octets of room for a read`);
      target.fill(0xee, 0, 300);
      const some = piece.subarray(at, at + target.length);
      target.set(some);
      at += some.length;
      try {
        reader.filled(some.length);
      } catch (error) {
        if (!(error instanceof WebSocketFault)) throw error;
        checkProtocolError(error.error);
        return error;
      }
    }
  }
  return undefined;
}

function checkWriting({ messages, writes, breakAt, rules: { masked } }: Input): void {
  const outbox = new Outbox(memory.outboxes);
  for (const frames of messages) outbox.append(frames.length === 1 ? frames[0] : [...frames]);
  const first = readWritten(write(outbox, masked, writes, breakAt), masked);
  assertMessages(first, messages.slice(0, first.length));
  assertEquals(outbox.messagesSent, first.length);
  const second = readWritten(write(outbox, masked, writes, Infinity), masked);
  assertMessages(second, messages.slice(first.length));
  assertEquals([outbox.empty, outbox.messagesSent], [true, messages.length]);
  outbox.free();
}

/** The messages that came whole. */
function readWritten(wire: Uint8Array, masked: boolean): Uint8Array[][] {
  const { octets, fault } = readWeb(wire, { masked, limit: -1, commands: true });
  assertEquals(fault, undefined);
  return readPlainly(octets).messages;
}

/** What leaves over one connection until it breaks. */
function write(
  outbox: Outbox,
  masked: boolean,
  writes: readonly number[],
  most: number,
): Uint8Array {
  const writer = new WebSocketWriter(memory.outboxes, masked, (into) => into.fill(0xa5));
  const out: Uint8Array[] = [];
  let size = 0;
  for (let turn = 0; size < most && (outbox.inFlight || outbox.take(BATCH));) {
    writer.take(outbox.next());
    let from = 0;
    while (from < writer.size && size < most) {
      const wire = writer.wire(from);
      const taken = wire.slice(0, Math.min(writes[turn++ % writes.length], most - size));
      out.push(taken);
      size += taken.length;
      from += taken.length;
    }
    outbox.advance(writer.left(from));
    writer.done();
  }
  outbox.rewind();
  writer.free();
  return join(out);
}
