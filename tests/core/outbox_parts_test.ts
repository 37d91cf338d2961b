// The run in flight taken part by part, as it is sealed: it is done with its message, not before.

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Core } from "../../src/core/instance.ts";
import { Outbox } from "../../src/core/outbox.ts";
import { assertMessages, pattern } from "../_util/octets.ts";

/** Held by reference. */
const LONG = pattern(40_000);
const SHORT = pattern(7);
const LIMIT = 100_000;
const HEADER = 9;

function outboxOf(...messages: Uint8Array[][]): Outbox {
  const outbox = new Outbox(new Core());
  for (const message of messages) assert(outbox.append(message));
  return outbox;
}

describe("the parts of a flight", () => {
  it("are octets of the ring and bodies by reference, in their order", () => {
    const outbox = outboxOf([SHORT, LONG, SHORT]);
    assertEquals(outbox.takePart(LIMIT), { size: 2 + 7, body: undefined });
    assertStrictEquals(outbox.takePart(LIMIT)?.body, LONG);
    assertEquals(outbox.takePart(LIMIT), { size: 2 + 7, body: undefined });
    assertEquals(outbox.takePart(LIMIT), undefined);
  });

  it("stay in flight until the whole message was taken and written", () => {
    const outbox = outboxOf([SHORT, LONG, SHORT]);
    outbox.takePart(LIMIT);
    assert(!outbox.advance(9));
    assert(outbox.inFlight);
    outbox.takePart(LIMIT);
    assert(!outbox.advance(HEADER + LONG.length));
    outbox.takePart(LIMIT);
    assert(!outbox.advance(8));
    assert(outbox.advance(1));
    assert(outbox.empty);
    assertEquals(outbox.messagesSent, 1);
  });

  for (const written of [0, 9, 9 + HEADER + LONG.length]) {
    it(`wait again after a cut behind ${written} octets, with what was not taken yet`, () => {
      const outbox = outboxOf([SHORT, LONG, SHORT, LONG], [SHORT]);
      const before = outbox.bytes;
      outbox.takePart(LIMIT);
      outbox.takePart(LIMIT);
      outbox.advance(written);
      outbox.rewind();
      assertEquals([outbox.waiting, outbox.bytes], [2, before]);
      assertMessages(outbox.drain(), [[SHORT, LONG, SHORT, LONG], [SHORT]]);
    });
  }

  it("keep the rest of their message when what waits is dropped", () => {
    const outbox = outboxOf([SHORT, LONG, SHORT, LONG], [LONG], [SHORT]);
    outbox.takePart(LIMIT);
    outbox.clear();
    assert(outbox.append([SHORT, SHORT]));
    assertEquals(outbox.waiting, 2);
    outbox.rewind();
    assertMessages(outbox.drain(), [[SHORT, LONG, SHORT, LONG], [SHORT, SHORT]]);
  });

  it("are gone with what waits when their message was taken whole", () => {
    const outbox = outboxOf([SHORT], [LONG]);
    outbox.takePart(LIMIT);
    outbox.clear();
    assertEquals([outbox.waiting, outbox.bytes, outbox.bodies.length], [0, 0, 0]);
    outbox.rewind();
    assertMessages(outbox.drain(), [[SHORT]]);
  });
});
