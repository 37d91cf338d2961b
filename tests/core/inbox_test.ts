// The inbox: frames are views on the slabs they came in, slabs are let go, and many slabs keep their order.

import { assert, assertEquals, assertStrictEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Inbox } from "../../src/core/inbox.ts";
import { Frame } from "../../src/message.ts";
import { assertFrames } from "../_util/bytes.ts";
import { assertMessages, concat, pattern } from "../_util/octets.ts";
import { encodeFrame, encodeMessage, MORE } from "./models/frame_model.ts";

describe("Inbox", () => {
  it("gives the frames as Frames that share the slab's memory", () => {
    const inbox = new Inbox();
    const slab = encodeMessage([pattern(2), pattern(300)]);
    inbox.push(slab, 1);
    const frames = inbox.shift();
    for (const frame of frames) {
      assert(frame instanceof Frame);
      assertStrictEquals(frame.buffer, slab.buffer);
    }
    assertFrames(frames, [pattern(2), pattern(300)]);
  });

  it("keeps the order over hundreds of slabs, taken while more arrive", () => {
    const inbox = new Inbox();
    const messages = Array.from({ length: 500 }, (_, i) => [pattern(i % 7, i), pattern(3, i)]);
    const received: Uint8Array[][] = [];
    for (const [i, frames] of messages.entries()) {
      inbox.push(encodeMessage(frames), 1);
      if (i % 3 === 2) received.push(inbox.shift());
    }
    assertEquals(inbox.messages, messages.length - received.length);
    while (inbox.messages > 0) received.push(inbox.shift());
    assertMessages(received, messages);
  });

  it("puts a message together from the slabs its frames came in", () => {
    const inbox = new Inbox();
    inbox.push(concat(encodeFrame(0, pattern(1)), encodeFrame(MORE, pattern(2))), 1);
    assertFrames(inbox.shift(), [pattern(1)]);
    assertEquals(inbox.messages, 0);
    inbox.push(encodeFrame(MORE, pattern(3)), 0);
    assertEquals(inbox.messages, 0);
    inbox.push(concat(encodeFrame(0, pattern(4)), encodeFrame(0, pattern(5))), 2);
    assertFrames(inbox.shift(), [pattern(2), pattern(3), pattern(4)]);
    assertFrames(inbox.shift(), [pattern(5)]);
  });

  it("drops everything with clear() and starts afresh", () => {
    const inbox = new Inbox();
    inbox.push(concat(encodeFrame(0, pattern(1)), encodeFrame(0, pattern(2))), 2);
    inbox.shift();
    inbox.clear();
    assertEquals(inbox.messages, 0);
    inbox.push(encodeFrame(0, pattern(9)), 1);
    assertFrames(inbox.shift(), [pattern(9)]);
  });

  it("has nothing to cut when nothing is unfinished", () => {
    const inbox = new Inbox();
    inbox.cut();
    assertEquals(inbox.messages, 0);
    inbox.push(encodeFrame(0, pattern(9)), 1);
    inbox.cut();
    assertEquals(inbox.messages, 1);
    assertFrames(inbox.shift(), [pattern(9)]);
  });
});
