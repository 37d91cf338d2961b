// SUB: only what it subscribed to is received, before and after unsubscribe.

import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import type { OptionValues } from "../../src/options.ts";
import { SubPattern } from "../../src/routing/sub.ts";
import { encodeFrame, MORE } from "../core/models/frame_model.ts";
import { utf8 } from "../_util/bytes.ts";
import { memory } from "../_util/pipe_end.ts";
import { optionsWith, received, TopicEnd } from "../_util/topic_end.ts";

function stand(
  options: Partial<OptionValues> = {},
  publishers = 2,
): { sub: SubPattern; ends: TopicEnd[] } {
  const values = optionsWith(options);
  const sub = new SubPattern(values, memory);
  return { sub, ends: Array.from({ length: publishers }, () => new TopicEnd(sub, values)) };
}

describe("SUB", () => {
  it("has its links filter by its topics, as they are", () => {
    const { sub } = stand();
    const { topics, inverted } = sub.filter;
    assertEquals([topics.match(utf8("A")), inverted], [false, false]);
    sub.subscribe(utf8("A"));
    assertEquals([topics.match(utf8("AB")), topics.match(utf8("B"))], [true, false]);
    sub.unsubscribeAll([utf8("A")]);
    assertEquals(topics.match(utf8("AB")), false);
    assertEquals(stand({ invertMatching: true }).sub.filter.inverted, true);
  });

  it("tells its publishers what it wants, as XSUB does (SUB-04, SUB-05)", () => {
    const { sub, ends: [a, b] } = stand();
    for (const topic of ["A", "A", ""]) sub.subscribe(utf8(topic));
    sub.unsubscribeAll([utf8("A"), utf8("A")]);
    assertEquals([a.told(), b.told()], [["+A", "+", "-A"], ["+A", "+", "-A"]]);
    a.lose();
    assertEquals(a.connect().told(), ["+"]);
  });

  it("receives nothing of a topic any more once it was unsubscribed, of whatever publisher", () => {
    const { sub, ends: [a, b] } = stand();
    for (const topic of ["A", "AB", "C"]) sub.subscribe(utf8(topic));
    for (const end of [a, b]) {
      for (const text of ["A1", "AB1", "C1", "A2", "AB2"]) end.say(text, "body");
    }
    sub.unsubscribeAll([utf8("A")]);
    assertEquals(received(sub), [
      ...repeat("AB1|body"),
      ...repeat("C1|body"),
      ...repeat("AB2|body"),
    ]);
  });

  it("still receives what another topic wants, and while the count is not 0", () => {
    const { sub, ends: [a] } = stand({}, 1);
    for (const topic of ["A", "A", "", ""]) sub.subscribe(utf8(topic));
    for (const text of ["A1", "B1"]) a.say(text);
    sub.unsubscribeAll([utf8("A")]);
    sub.unsubscribeAll([utf8("")]);
    sub.unsubscribeAll([utf8("A")]);
    assertEquals(received(sub), ["A1", "B1"]);
    for (const text of ["A2", "B2"]) a.say(text);
    sub.unsubscribeAll([utf8("")]);
    assertEquals([received(sub), sub.canReceive], [[], false]);
  });

  it("receives nothing either of a message that had begun to arrive", () => {
    const { sub, ends: [a] } = stand({}, 1);
    sub.subscribe(utf8("A"));
    a.pipe.inbox.push(encodeFrame(MORE, utf8("A")), 0);
    sub.unsubscribeAll([utf8("A")]);
    assert(a.pipe.inbox.beheaded, "its rest would be taken for a message");
    assertEquals(sub.canReceive, false);
  });

  it("gives several topics up at once", () => {
    const { sub, ends: [a] } = stand({}, 1);
    for (const topic of ["A", "B", "C"]) sub.subscribe(utf8(topic));
    for (const text of ["A1", "B1", "C1"]) a.say(text);
    sub.unsubscribeAll(["A", "never", "C"].map(utf8));
    assertEquals(received(sub), ["B1"]);
    assertEquals(a.told(), ["+A", "+B", "+C", "-A", "-C"]);
    sub.unsubscribeAll([]);
  });

  it("goes on reading from a link that had stopped for messages that are dropped", () => {
    const { sub, ends: [a, b] } = stand({ receiveHighWaterMark: 4 });
    sub.subscribe(utf8("A"));
    sub.subscribe(utf8("B"));
    for (const end of [a, b]) {
      for (const text of ["A1", "B1", "A2", "A3"]) end.say(text);
      assert(end.pipe.saturated);
      end.pipe.paused = true;
    }
    b.say("B2").say("B3");
    sub.unsubscribeAll([utf8("A")]);
    assertEquals([a.resumed, a.pipe.paused, b.resumed, b.pipe.paused], [1, false, 0, true]);
    assertEquals(received(sub).sort(), ["B1", "B1", "B2", "B3"]);
    assertEquals(b.resumed, 1);
  });

  it("drops with invertMatching what matches, also when topics end", () => {
    const { sub, ends: [a] } = stand({ invertMatching: true }, 1);
    for (const topic of ["A", "B"]) sub.subscribe(utf8(topic));
    for (const text of ["C1", "D1"]) a.say(text);
    sub.unsubscribeAll([utf8("A")]);
    assertEquals(received(sub), ["C1", "D1"]);
  });

  it("can receive and cannot send (SUB-01)", () => {
    const { sub } = stand();
    assertEquals(sub.refuse("send")?.code, "ENOTSUP");
    assertEquals([sub.refuse("receive"), sub.canSend], [undefined, false]);
  });
});

/** The same from both publishers. */
function repeat(text: string): string[] {
  return [text, text];
}
