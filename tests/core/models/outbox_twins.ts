// An outbox beside its model, and what the tests of outboxes put into them.

import { assertEquals, assertGreater } from "@std/assert";
import fc from "fast-check";
import type { Core } from "../../../src/core/instance.ts";
import { Outbox } from "../../../src/core/outbox.ts";
import { toBytes } from "../../../src/message.ts";
import { Span } from "../../../src/span.ts";
import { BOX_CAPACITY } from "../../../wasm/layout.ts";
import { assertOctets, concat, pattern } from "../../_util/octets.ts";
import { encodeMessage } from "./frame_model.ts";
import { OutboxModel } from "./outbox_model.ts";
import { size } from "./streams.ts";

/** From this size on a body is kept by reference, and from the other one it is written by itself. */
export const REFERENCE: number = 32 * 1024;
/** See `REFERENCE`. */
export const DIRECT: number = 128 * 1024;

/** A frame as it is appended. */
export type Part = Uint8Array | string;

/** An outbox and its model, kept in step and compared after each step. */
export class Twins {
  readonly core: Core;
  readonly box: Outbox;
  readonly model: OutboxModel = new OutboxModel();

  constructor(core: Core) {
    this.core = core;
    this.box = new Outbox(core);
  }

  append(parts: readonly Part[]): boolean {
    const done = this.box.append(parts.length === 1 ? parts[0] : [...parts]);
    if (done) this.model.append(parts.map(toBytes));
    this.check();
    return done;
  }

  appendSpan(frames: readonly Uint8Array[]): boolean {
    const wire = encodeMessage(frames);
    const done = this.box.append(
      new Span(concat(new Uint8Array(3), wire, wire), 3, 3 + wire.length),
    );
    if (done) this.model.append(frames);
    this.check();
    return done;
  }

  appendCommand(body: Uint8Array): boolean {
    const done = this.box.appendCommand(body);
    if (done) this.model.appendCommand(body);
    this.check();
    return done;
  }

  clear(): void {
    this.box.clear();
    this.model.clear();
    this.check();
  }

  take(limit: number): void {
    if (this.box.inFlight) return;
    const before = this.box.waiting;
    const taken = this.box.take(limit);
    assertEquals(taken, before > 0);
    this.model.take(before - this.box.waiting, limit);
    assertEquals(taken, this.model.flight.length > 0);
    this.check();
  }

  /** Hands over up to `count` octets, as a stream would take them. */
  write(count: number): void {
    while (count > 0 && this.box.inFlight) {
      const taken = Math.min(count, this.box.next().length);
      assertEquals(this.box.advance(taken), this.model.advance(taken));
      count -= taken;
      this.check();
    }
  }

  rewind(): void {
    this.box.rewind();
    this.model.rewind();
    this.check();
  }

  trim(): void {
    this.box.trim();
    this.check();
  }

  drain(): void {
    if (!this.box.inFlight) this.model.drain(this.box.drain());
    this.check();
  }

  /** Sends all that is left. */
  finish(): void {
    while (!this.box.empty) {
      this.take(100_000);
      this.write(Infinity);
    }
  }

  check(): void {
    const { box, model } = this;
    assertEquals(
      [box.waiting, box.bytes, box.inFlight, box.empty],
      [
        model.waiting.length,
        model.bytes,
        model.flight.length > 0,
        model.flight.length + model.waiting.length === 0,
      ],
    );
    // The ring may have moved meanwhile: what is in flight is found all the same.
    if (!box.inFlight) return;
    const octets = box.next();
    assertOctets(octets, model.rest.subarray(0, octets.length), "octets in flight");
    assertGreater(octets.length, 0);
  }
}

const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 30 }),
  fc.string({ unit: "grapheme", maxLength: 400 }),
  fc.constantFrom("ä".repeat(1365), "€".repeat(1366), "x".repeat(4_097), "é".repeat(20_000)),
);
/** Bodies of sizes around all borders. */
export const body: fc.Arbitrary<Uint8Array> = fc.tuple(
  fc.oneof(
    { weight: 10, arbitrary: size },
    {
      weight: 1,
      arbitrary: fc.constantFrom(REFERENCE - 1, REFERENCE, 100_000, DIRECT - 1, DIRECT, 140_000),
    },
  ),
  fc.nat(255),
).map(([size, seed]) => pattern(size, seed));
/** Bodies and texts. */
export const part: fc.Arbitrary<Part> = fc.oneof(
  { weight: 3, arbitrary: body },
  { weight: 1, arbitrary: text },
);

/** Octets of an outbox's ring. */
export function capacityOf(core: Core, box: Outbox): number {
  return core.words[box.box / 4 + BOX_CAPACITY];
}

/** Sends everything that waits; the octets. */
export function flush(box: Outbox, limit: number = 256 * 1024): Uint8Array {
  const parts: Uint8Array[] = [];
  while (box.take(limit)) {
    for (let done = false; !done;) {
      const octets = box.next();
      parts.push(octets.slice());
      done = box.advance(octets.length);
    }
  }
  return concat(...parts);
}
