// The golden vectors of frames, read by the receiver in every way a stream may cut them, and written by the outbox.

import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Core } from "../../src/core/instance.ts";
import { CoreMemory } from "../../src/core/memory.ts";
import { Outbox } from "../../src/core/outbox.ts";
import { assertMessages, assertOctets, concat } from "../_util/octets.ts";
import { FRAMES } from "../_util/vectors.ts";
import { LARGEST_READ, Taking } from "../core/models/taking.ts";

const memory = new CoreMemory();

function read(pieces: Iterable<Uint8Array>): Uint8Array[][] {
  const taking = new Taking(-1, LARGEST_READ, memory);
  for (const piece of pieces) taking.read(piece);
  taking.take();
  taking.receiver.free();
  assertEquals(taking.fault, undefined);
  return taking.messages;
}

describe("the frame vectors", () => {
  for (const { id, meaning, octets, messages, emitted } of FRAMES) {
    it(`${id} is read whole, cut anywhere, and with a tail: ${meaning}`, () => {
      assertMessages(read([octets]), messages);
      assertMessages(read(Array.from(octets, (octet) => Uint8Array.of(octet))), messages);
      for (let at = 1; at < octets.length; at++) {
        assertMessages(read([octets.subarray(0, at), octets.subarray(at)]), messages);
      }
      for (const tail of [[0], [1, 0], [2, 0, 0], [0, 5, 1, 2, 3, 4]]) {
        assertMessages(read([concat(octets, Uint8Array.from(tail))]), messages);
      }
      assertMessages(read([concat(octets, octets)]), [...messages, ...messages]);
    });

    if (!emitted) continue;
    it(`${id} is what is sent for ${meaning}`, () => {
      const outbox = new Outbox(new Core());
      for (const message of messages) outbox.append(message.length === 1 ? message[0] : message);
      outbox.take(10_000);
      assertOctets(outbox.next(), octets);
    });
  }
});
