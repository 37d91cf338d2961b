// The inbox beside its model: whatever is taken, dropped or filtered in between, the other messages stay whole and in order.

import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { Inbox } from "../../src/core/inbox.ts";
import { Span } from "../../src/span.ts";
import { assertMessages, assertOctets, concat, pattern } from "../_util/octets.ts";
import { encodeFrame, encodeMessage, LONG, MORE } from "./models/frame_model.ts";

interface PlainFrame {
  readonly body: Uint8Array;
  readonly long: boolean;
  readonly last: boolean;
}

/** An inbox and its model: lists of frames. */
class Twins {
  readonly inbox: Inbox = new Inbox();
  #messages: PlainFrame[][] = [];
  #unfinished: PlainFrame[] = [];
  /** The rest of the message that is coming is not wanted. */
  #beheaded = false;

  push(come: readonly PlainFrame[]): void {
    assertEquals(this.inbox.beheaded, this.#beheaded);
    let frames = come;
    if (this.#beheaded) {
      // As the receiver does: what belongs to a message that was given up does not get here.
      const end = come.findIndex(({ last }) => last);
      if (end < 0) return;
      this.#beheaded = this.inbox.beheaded = false;
      frames = come.slice(end + 1);
      if (frames.length === 0) return;
    }
    let messages = 0;
    for (const frame of frames) {
      this.#unfinished.push(frame);
      if (!frame.last) continue;
      this.#messages.push(this.#unfinished);
      this.#unfinished = [];
      messages++;
    }
    this.inbox.push(wireOf(frames), messages);
  }

  shift(): void {
    const expected = this.#messages.shift();
    if (expected !== undefined) assertMessages([this.inbox.shift()], [bodiesOf(expected)]);
  }

  take(): void {
    const expected = this.#messages.shift();
    if (expected === undefined) return;
    const span = new Span(new Uint8Array(0), 0, 0);
    this.inbox.take(span);
    assertOctets(span.slab.subarray(span.start, span.end), wireOf(expected), "a span");
  }

  keepLast(): void {
    this.inbox.keepLast();
    this.#messages = this.#messages.slice(-1);
  }

  filter(octet: number): void {
    const wants = (first: Uint8Array): boolean => first[0] !== octet;
    const asked: Uint8Array[] = [];
    this.inbox.filter((octets) => {
      asked.push(octets.slice());
      return wants(octets);
    });
    const firsts = this.#messages.map(([first]) => [first.body]);
    if (this.#unfinished.length > 0) firsts.push([this.#unfinished[0].body]);
    assertMessages(asked.map((octets) => [octets]), firsts);
    this.#messages = this.#messages.filter(([first]) => wants(first.body));
    if (this.#unfinished.length > 0 && !wants(this.#unfinished[0].body)) {
      this.#unfinished = [];
      this.#beheaded = true;
    }
  }

  cut(): void {
    this.inbox.cut();
    this.#unfinished = [];
    // The next connection begins with a whole message.
    this.#beheaded = this.inbox.beheaded = false;
  }

  check(): void {
    assertEquals(this.inbox.messages, this.#messages.length);
  }

  finish(): void {
    this.cut();
    this.push([{ body: pattern(3), long: false, last: true }]);
    while (this.inbox.messages > 0) this.shift();
    this.check();
  }
}

function bodiesOf(frames: readonly PlainFrame[]): Uint8Array[] {
  return frames.map(({ body }) => body);
}

function wireOf(frames: readonly PlainFrame[]): Uint8Array {
  return concat(
    ...frames.map(({ body, long, last }) =>
      encodeFrame((last ? 0 : MORE) | (long ? LONG : 0), body)
    ),
  );
}

const frame: fc.Arbitrary<PlainFrame> = fc.record({
  body: fc.tuple(fc.constantFrom(0, 1, 2, 3, 20, 255, 256, 2_000), fc.nat(2)).map(
    ([size, first]) =>
      Object.defineProperty(pattern(size, first).fill(first, 0, 1), fc.toStringMethod, {
        value: () => `${size} octets, the first ${first}`,
      }),
  ),
  long: fc.nat(5).map((n) => n === 0),
  last: fc.nat(2).map((n) => n > 0),
});
const slab = fc.array(frame, { minLength: 1, maxLength: 8 });
type Step = { readonly kind: "shift" | "take" | "keepLast" | "cut" } | {
  readonly kind: "push";
  readonly frames: PlainFrame[];
} | { readonly kind: "filter"; readonly octet: number };
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: slab.map((frames): Step => ({ kind: "push", frames })) },
  {
    weight: 5,
    arbitrary: fc.constantFrom<"shift" | "take">("shift", "take").map((
      kind,
    ): Step => ({ kind })),
  },
  { weight: 1, arbitrary: fc.constant<Step>({ kind: "keepLast" }) },
  { weight: 1, arbitrary: fc.constant<Step>({ kind: "cut" }) },
  { weight: 1, arbitrary: fc.nat(3).map((octet): Step => ({ kind: "filter", octet })) },
);

function play(twins: Twins, steps: readonly Step[]): void {
  for (const step of steps) {
    if (step.kind === "push") twins.push(step.frames);
    else if (step.kind === "filter") twins.filter(step.octet);
    else twins[step.kind]();
    twins.check();
  }
  twins.finish();
}

describe("Inbox", () => {
  it("does what its model does", () => {
    fc.assert(
      fc.property(fc.array(step, { size: "+1", maxLength: 60 }), (steps) => {
        play(new Twins(), steps);
      }),
      { numRuns: 400 },
    );
  });

  it("keeps its order over hundreds of slabs, whatever is taken and dropped", () => {
    fc.assert(
      fc.property(
        fc.array(slab, { minLength: 150, maxLength: 250, size: "max" }),
        fc.array(step, { maxLength: 20 }),
        (slabs, steps) => {
          const twins = new Twins();
          for (const frames of slabs) twins.push(frames);
          for (let i = 0; i < 40; i++) twins.shift();
          play(twins, steps);
        },
      ),
      { numRuns: 15 },
    );
  });
});

describe("Inbox.take()", () => {
  it("shares the slab's memory when the message lies in one", () => {
    const inbox = new Inbox();
    const slab = concat(encodeMessage([pattern(3)]), encodeMessage([pattern(4), pattern(300)]));
    inbox.push(slab, 2);
    const span = new Span(new Uint8Array(0), 0, 0);
    inbox.take(span);
    assertEquals([span.slab === slab, span.start, span.end], [true, 0, 5]);
    inbox.take(span);
    assertEquals([span.slab === slab, span.start, span.end], [true, 5, slab.length]);
  });

  it("joins a message of many frames in time that grows with it alone", () => {
    const inbox = new Inbox();
    const frames = Array.from({ length: 100_000 }, (_, i) => pattern(1, i));
    const wire = encodeMessage(frames);
    // Slabs of 16 kB, as the receiver makes them.
    for (let at = 0; at < wire.length; at += 3 * 5_000) {
      const slab = wire.slice(at, at + 3 * 5_000);
      inbox.push(slab, at + slab.length === wire.length ? 1 : 0);
    }
    const span = new Span(new Uint8Array(0), 0, 0);
    inbox.take(span);
    assertOctets(span.slab.subarray(span.start, span.end), wire);
    assertEquals(inbox.messages, 0);
  });
});

describe("Inbox.keepLast()", () => {
  it("keeps the newest message, however many came at once", () => {
    const inbox = new Inbox();
    inbox.keepLast();
    assertEquals(inbox.messages, 0);
    for (let i = 0; i < 100; i++) {
      inbox.push(
        concat(encodeMessage([pattern(3, i)]), encodeMessage([pattern(5, i), pattern(6, i)])),
        2,
      );
      inbox.keepLast();
      assertEquals(inbox.messages, 1);
    }
    assertMessages([inbox.shift()], [[pattern(5, 99), pattern(6, 99)]]);
  });
});

describe("Inbox.filter()", () => {
  it("drops a message that has begun as well, and says so", () => {
    const inbox = new Inbox();
    inbox.push(concat(encodeMessage([pattern(3)]), encodeFrame(MORE, pattern(5))), 1);
    inbox.push(encodeFrame(MORE, pattern(3)), 0);
    inbox.filter(({ length }) => length === 5);
    assertEquals([inbox.messages, inbox.beheaded], [0, false]);
    inbox.filter(({ length }) => length === 3);
    assertEquals([inbox.messages, inbox.beheaded], [0, true]);
    inbox.push(encodeMessage([pattern(7)]), 1);
    assertMessages([inbox.shift()], [[pattern(7)]]);
  });

  it("asks with the first frame of each message alone, long or short", () => {
    const inbox = new Inbox();
    inbox.push(concat(encodeMessage([pattern(3), pattern(9)]), encodeMessage([pattern(300)])), 2);
    const sizes: number[] = [];
    inbox.filter(({ length }) => sizes.push(length) > 0);
    assertEquals([sizes, inbox.messages], [[3, 300], 2]);
  });
});
