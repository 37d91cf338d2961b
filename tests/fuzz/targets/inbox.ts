// A receiver and its inbox while the user takes, passes on, filters and drops: the other messages stay whole and in order.

import { assertEquals } from "@std/assert";
import { Inbox } from "../../../src/core/inbox.ts";
import { CoreMemory } from "../../../src/core/memory.ts";
import { Topics } from "../../../src/core/topics.ts";
import { Span } from "../../../src/span.ts";
import { assertMessages, assertOctets, concat } from "../../_util/octets.ts";
import { encodeFrame, encodeMessage, MORE } from "../../core/models/frame_model.ts";
import { LARGEST_READ, Taking } from "../../core/models/taking.ts";
import { drawBody } from "../draws.ts";
import type { Tape } from "../tape.ts";
import type { Target } from "../target.ts";

/** A frame comes, or something is done with what has come. */
type Step =
  | { readonly kind: "frame"; readonly body: Uint8Array; readonly last: boolean }
  | { readonly kind: "filter"; readonly octet: number }
  | { readonly kind: "shift" | "take" | "keepLast" | "cut" | "read" };

const memory = new CoreMemory();
/** Only a receiver with a filter can be told that the rest of a message is not wanted. */
const everything = new Topics(memory);
everything.add(new Uint8Array(0));

function newTaking(inbox: Inbox): Taking {
  return new Taking(-1, LARGEST_READ, memory, inbox, { topics: everything, inverted: false });
}

function drawStep(tape: Tape): Step {
  const kind = tape.pick(
    ["frame", "frame", "frame", "frame", "read", "shift", "take", "filter", "keepLast", "cut"],
  );
  switch (kind) {
    case "frame":
      return { kind, body: drawBody(tape), last: !tape.oneIn(3) };
    case "filter":
      return { kind, octet: tape.octet() };
  }
  return { kind } as Step;
}

/** What the inbox should hold. */
class Model {
  messages: Uint8Array[][] = [];
  unfinished: Uint8Array[] = [];
  beheaded = false;

  come(body: Uint8Array, last: boolean): void {
    if (!this.beheaded) this.unfinished.push(body);
    if (!last) return;
    if (!this.beheaded) this.messages.push(this.unfinished);
    this.unfinished = [];
    this.beheaded = false;
  }

  filter(wants: (first: Uint8Array) => boolean): void {
    this.messages = this.messages.filter(([first]) => wants(first));
    if (this.unfinished.length === 0 || wants(this.unfinished[0])) return;
    this.unfinished = [];
    this.beheaded = true;
  }
}

export const inbox: Target<readonly Step[]> = {
  name: "inbox",
  draw: (tape) => tape.list(60, () => drawStep(tape)),
  check(steps) {
    const inbox = new Inbox();
    const model = new Model();
    let taking = newTaking(inbox);
    let coming: Uint8Array[] = [];
    const read = (): void => {
      taking.read(concat(...coming.splice(0)));
      assertEquals(taking.fault, undefined);
      assertEquals(inbox.messages, model.messages.length);
    };
    for (const step of steps) {
      if (step.kind === "frame") {
        coming.push(encodeFrame(step.last ? 0 : MORE, step.body));
        model.come(step.body, step.last);
        continue;
      }
      read();
      switch (step.kind) {
        case "shift":
          if (inbox.messages > 0) assertMessages([inbox.shift()], [model.messages.shift()!]);
          break;
        case "take":
          if (inbox.messages > 0) {
            const { slab, start, end } = inbox.take(new Span(new Uint8Array(0), 0, 0));
            assertOctets(slab.subarray(start, end), encodeMessage(model.messages.shift()!));
          }
          break;
        case "keepLast":
          inbox.keepLast();
          model.messages = model.messages.slice(-1);
          break;
        case "filter": {
          const wants = (first: Uint8Array): boolean => (first[0] ?? 0) <= step.octet;
          inbox.filter(wants);
          model.filter(wants);
          break;
        }
        case "cut":
          // The connection ends, and another one serves the same inbox.
          taking.receiver.cut();
          taking.receiver.free();
          taking = newTaking(inbox);
          model.unfinished = [];
          model.beheaded = false;
      }
      assertEquals(inbox.messages, model.messages.length);
    }
    read();
    while (inbox.messages > 0) assertMessages([inbox.shift()], [model.messages.shift()!]);
    taking.receiver.cut();
    taking.receiver.free();
    coming = [];
  },
};
