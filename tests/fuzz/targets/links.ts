// Two whole links over fake streams: messages both ways, any back-pressure, a wire that changes octets, ends of every kind.
// Each side receives exactly what the octets that reached it say, and knows exactly what has left it.

import { concat as join } from "../../../src/octets.ts";
import { assertEquals } from "@std/assert";
import type { SocketType } from "../../../src/wire/socket_type.ts";
import { assertMessages, sameOctets } from "../../_util/octets.ts";
import { LEGAL_PEERS, OWN_TYPES } from "../../_util/session_pair.ts";
import { drawMessage, wireOf } from "../draws.ts";
import { ANY, type End, type LinksInput, Pair, type SideInput, type Step } from "../link_pair.ts";
import { readPlainly } from "../reading.ts";
import { MECHANISMS } from "../stands.ts";
import type { Tape } from "../tape.ts";
import { checkError, type Target } from "../target.ts";
import { readTraffic, type Traffic } from "../traffic.ts";
import { drawEdits } from "../wire.ts";

function drawSide(tape: Tape, type: SocketType): SideInput {
  return {
    type,
    id: tape.pick(["", "", "x"]),
    limits: {
      frame: tape.pick([-1, -1, -1, -1, 300, 5_000]),
      parts: tape.pick([0, 0, 0, 0, 2]),
      message: tape.pick([-1, -1, -1, -1, 3_000]),
    },
    marks: [tape.pick([1_000, 1_000, 1, 3]), tape.pick([1_000, 1_000, 1, 3])],
    heartbeat: tape.pick([0, 0, 0, 100]),
    probe: tape.oneIn(8),
    pressure: {
      room: tape.pick([0, 0, 0, 10, 1_000]),
      gulp: tape.pick([0, 0, 0, 40, 1_000]),
      late: tape.oneIn(3),
    },
    edits: tape.oneIn(3) ? drawEdits(tape, 5_000) : [],
  };
}

function drawStep(tape: Tape): Step {
  const side = tape.below(2);
  switch (tape.pick([0, 0, 0, 0, 1, 1, 1, 2, 3, 4, 5, 6, 7])) {
    case 0:
      return { kind: "send", side, frames: drawMessage(tape, tape.oneIn(6) ? undefined : 3_000) };
    case 1:
      return {
        kind: "pump",
        side,
        size: tape.pick([ANY, 1, 70, 3_000]),
        cut: tape.pick([ANY, 1, 9, 1_000]),
      };
    case 2:
      return { kind: "drain", side, size: tape.pick([ANY, 1, 50, 2_000]), cut: 0 };
    case 3:
      return { kind: "receive", side };
    case 4:
      return { kind: "turn" };
    case 5:
      return { kind: "pass", ms: tape.pick([1, 60, 100, 300]) };
    case 7:
      return { kind: "burst", side, count: tape.pick([3, 70, 300]) };
  }
  const kind = tape.pick(["receive", "finish", "close", "reset", "end"] as const);
  return tape.oneIn(3) ? { kind, side } : { kind: "turn" };
}

/** What was not sent over one connection is sent over the next one; then nothing is left. */
async function goOn(input: LinksInput, before: Pair): Promise<void> {
  const left = before.ends.map(({ sent, stand: { pipe } }) => sent.slice(pipe.outbox.messagesSent));
  const free = input.sides.every(({ limits: { frame, parts, message } }) =>
    frame < 0 && parts === 0 && message < 0
  );
  if (input.again && free) {
    const sides = input.sides.map((side) => ({
      ...side,
      pressure: { room: 0, gulp: 0, late: side.pressure.late },
      edits: [],
    }));
    const next = new Pair({ ...input, sides }, before);
    await next.rest();
    for (const [i, end] of next.ends.entries()) {
      const said = input.sides[1 - i].probe ? [[new Uint8Array(0)]] : [];
      assertMessages(end.received, [...said, ...left[1 - i]]);
    }
    next.finish();
    for (const { stand: { pipe } } of next.ends) assertMessages(pipe.dispose(), []);
    return;
  }
  for (const [i, { stand: { pipe } }] of before.ends.entries()) {
    assertMessages(pipe.dispose(), left[i]);
  }
}

/** Both ends' accounts against what went over the wire. */
function settle({ mechanism }: LinksInput, { ends }: Pair): void {
  for (const [i, end] of ends.entries()) {
    const other = ends[1 - i];
    const { stand } = end;
    const { error, pipe, calls } = stand;
    if (error !== undefined) checkError(error);
    assertEquals(calls.filter((call) => call === "ended").length, 1);
    const { messagesSent } = end.stand.pipe.outbox;
    if (!stand.link.served) assertMessages(end.received, []);
    else if (mechanism === "NULL") {
      assertReceived(end, readTraffic(join(end.delivered), end.input));
    } else if (mechanism === "CURVE") assertPart(end.received, other.said);
    const touched = !other.honest || !end.honest;
    // The first frames that were changed in clear text may read as anything.
    if (!touched) {
      const { messages } = readPlainly(wireOf(other.said), end.input.limits);
      assertMessages(end.received, messages.slice(0, end.received.length));
    }
    if (mechanism === "NULL" && !touched && pipe.peer !== undefined) {
      const left = readTraffic(join(end.written), { type: other.input.type });
      const whole = left.messages.slice(end.said.length - end.sent.length);
      assertMessages(whole, end.sent.slice(0, whole.length));
      // A write under way when this side closed goes on, for messages that nobody waits for any more.
      const less = whole.length > messagesSent && stand.stream.calls.includes("close");
      if (whole.length !== messagesSent && !less) {
        throw new Error(`${whole.length} messages left whole, ${messagesSent} are counted`);
      }
    }
  }
}

function assertReceived(end: End, { messages, fault }: Traffic): void {
  const { received, stand, ended } = end;
  assertMessages(received, messages.slice(0, received.length));
  const cut = ended || stand.error !== undefined;
  if (!cut || fault !== undefined) assertMessages(received, messages);
  if (fault !== undefined && !cut) throw new Error(`the fault ${fault} did not end the link`);
}

/** Messages of CURVE that are lost as a whole frame are not noticed, but nothing else may happen to them. */
function assertPart(part: readonly Uint8Array[][], whole: readonly Uint8Array[][]): void {
  const frames = whole.flat();
  let at = 0;
  for (const [i, frame] of part.flat().entries()) {
    while (at < frames.length && !sameOctets(frames[at], frame)) at++;
    if (at++ >= frames.length) throw new Error(`frame ${i} of ${frame.length} octets was not sent`);
  }
}

export const links: Target<LinksInput> = {
  name: "links",
  draw(tape) {
    const type = tape.pick(OWN_TYPES);
    const types = [type, tape.pick(LEGAL_PEERS[type]) as SocketType];
    return {
      mechanism: tape.pick([...MECHANISMS, "NULL", "NULL"] as const),
      sides: types.map((type) => drawSide(tape, type)),
      steps: tape.list(60, () => drawStep(tape)),
      again: tape.oneIn(3),
    };
  },
  async check(input) {
    const pair = new Pair(input);
    const handshakeFirst = input.mechanism !== "NULL";
    if (handshakeFirst) await pair.rest();
    for (const step of input.steps) pair.play(step);
    await pair.rest();
    pair.finish();
    settle(input, pair);
    await goOn(input, pair);
  },
};
