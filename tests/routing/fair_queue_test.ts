// The fair queue beside plain lists: each pipe in its order, nobody starved, nothing lost.

import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { FairQueue } from "../../src/routing/fair_queue.ts";
import { Span } from "../../src/span.ts";
import { toHex, utf8 } from "../_util/bytes.ts";
import { encodeMessage } from "../core/models/frame_model.ts";
import { PipeEnd, texts } from "../_util/pipe_end.ts";

function receive(queue: FairQueue): string | undefined {
  return texts(queue.receive())?.join();
}

/** Takes the next message as it lies on the wire; its octets. */
function take(queue: FairQueue): Uint8Array | undefined {
  const span = new Span(new Uint8Array(0), 0, 0);
  return queue.take(span) ? span.slab.slice(span.start, span.end) : undefined;
}

function fill(queue: FairQueue, end: PipeEnd, ...messages: string[]): void {
  for (const message of messages) end.say(message);
  queue.activate(end.pipe);
}

describe("FairQueue", () => {
  it("takes one message from each pipe in turn (PULL-Q5, DEALER-Q5, ROUTER-Q5)", () => {
    const queue = new FairQueue();
    const ends = [new PipeEnd(), new PipeEnd(), new PipeEnd()];
    for (const [i, end] of ends.entries()) fill(queue, end, `${i}a`, `${i}b`, `${i}c`);
    const order = Array.from({ length: 9 }, () => receive(queue));
    assertEquals(order, ["0a", "1a", "2a", "0b", "1b", "2b", "0c", "1c", "2c"]);
    assertEquals([receive(queue), queue.readable], [undefined, false]);
  });

  it("lets a quiet peer's message through a flood (PULL-Q5)", () => {
    const queue = new FairQueue();
    const [flood, quiet] = [new PipeEnd(), new PipeEnd()];
    fill(queue, flood, ...Array.from({ length: 100 }, (_, i) => String(i)));
    receive(queue);
    fill(queue, quiet, "quiet");
    assert([receive(queue), receive(queue)].includes("quiet"));
  });

  it("does not starve a waiting peer while two others take turns (REP-05, ROUTER-Q5)", () => {
    const queue = new FairQueue();
    const [waiting, one, two] = [new PipeEnd(), new PipeEnd(), new PipeEnd()];
    fill(queue, waiting, "first", "second");
    fill(queue, one, "1");
    fill(queue, two, "2");
    const order: (string | undefined)[] = [];
    for (let i = 0; i < 8; i++) {
      const message = receive(queue);
      order.push(message);
      // Each of the others asks again as soon as it was served.
      if (message === "1") fill(queue, one, "1");
      if (message === "2") fill(queue, two, "2");
    }
    assert(order.includes("second"), order.join());
  });

  it("does not take a pipe twice into its turn", () => {
    const queue = new FairQueue();
    const [one, two] = [new PipeEnd(), new PipeEnd()];
    fill(queue, one, "1a", "1b", "1c");
    fill(queue, two, "2a", "2b");
    for (let i = 0; i < 5; i++) queue.activate(one.pipe);
    assertEquals(
      Array.from({ length: 5 }, () => receive(queue)),
      ["1a", "2a", "1b", "2b", "1c"],
    );
  });

  it("tells beforehand whose turn it is", () => {
    const queue = new FairQueue();
    assertEquals(queue.peek(), undefined);
    const ends = [new PipeEnd(), new PipeEnd()];
    for (const [i, end] of ends.entries()) fill(queue, end, `${i}a`, `${i}b`);
    for (let i = 0; i < 4; i++) {
      const pipe = queue.peek();
      const { messages } = pipe!.inbox;
      queue.receive();
      assertEquals(pipe!.inbox.messages, messages - 1);
    }
  });

  it("keeps its promises through any coming and going", () => {
    const step = fc.oneof(
      { weight: 4, arbitrary: fc.constant(-1) },
      { weight: 5, arbitrary: fc.nat(5) },
      { weight: 1, arbitrary: fc.integer({ min: 10, max: 15 }) },
    );
    fc.assert(
      fc.property(fc.array(step, { size: "+1" }), (sequence) => {
        const queue = new FairQueue();
        const ends = Array.from({ length: 6 }, () => new PipeEnd());
        const waiting: string[][] = ends.map(() => []);
        /** How many others were served while a pipe had messages. */
        const passed = ends.map(() => 0);
        let number = 0;
        for (const step of sequence) {
          if (step >= 10) {
            const index = step - 10;
            queue.remove(ends[index].pipe);
            ends[index].pipe.inbox.clear();
            waiting[index] = [];
            passed[index] = 0;
          } else if (step >= 0) {
            const message = `${step}:${number++}`;
            waiting[step].push(message);
            fill(queue, ends[step], message);
          } else {
            assertEquals(queue.readable, waiting.some((messages) => messages.length > 0));
            const message = receive(queue);
            if (message === undefined) continue;
            const from = Number(message.split(":")[0]);
            assertEquals(message, waiting[from].shift());
            passed[from] = 0;
            for (const [i, messages] of waiting.entries()) {
              if (i === from || messages.length === 0) continue;
              assert(++passed[i] < ends.length, `pipe ${i} waits too long`);
            }
          }
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe("FairQueue.take()", () => {
  it("takes turns as receive() does, and both may be mixed", () => {
    const queue = new FairQueue();
    const ends = [new PipeEnd(), new PipeEnd()];
    for (const [i, end] of ends.entries()) fill(queue, end, `${i}a`, `${i}b`, `${i}c`);
    const wire = (text: string): string => toHex(encodeMessage([utf8(text)]));
    assertEquals([take(queue)!, take(queue)!].map(toHex), ["0a", "1a"].map(wire));
    assertEquals([receive(queue), toHex(take(queue)!)], ["0b", wire("1b")]);
    assertEquals([toHex(take(queue)!), receive(queue)], [wire("0c"), "1c"]);
    assertEquals([take(queue), queue.readable], [undefined, false]);
  });
});

describe("FairQueue.filter()", () => {
  it("drops what is not wanted, and pipes that have nothing left lose their turn", () => {
    const queue = new FairQueue();
    const ends = [new PipeEnd(), new PipeEnd(), new PipeEnd()];
    for (const end of ends) fill(queue, end, "x", "a", "x", "b");
    fill(queue, ends[1], "x");
    receive(queue);
    queue.filter(([octet]) => octet !== 120, []);
    const order = Array.from({ length: 6 }, () => receive(queue));
    assertEquals(order, ["a", "a", "a", "b", "b", "b"]);
    assertEquals(queue.readable, false);
    for (const end of ends) fill(queue, end, "x");
    queue.filter(() => false, []);
    assertEquals([queue.readable, queue.peek(), receive(queue)], [false, undefined, undefined]);
    fill(queue, ends[2], "c");
    assertEquals(receive(queue), "c");
  });

  it("asks about pipes without a whole message as well, when they are named", () => {
    const queue = new FairQueue();
    const [quiet, other] = [new PipeEnd(), new PipeEnd()];
    for (const { pipe } of [quiet, other]) pipe.inbox.push(Uint8Array.of(1, 1, 120), 0);
    queue.filter(([octet]) => octet !== 120, [quiet.pipe]);
    assertEquals([quiet, other].map(({ pipe }) => pipe.inbox.beheaded), [true, false]);
  });
});
