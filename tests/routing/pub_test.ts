// PUB: as XPUB, but what it hears it keeps to itself.

import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { PubPattern } from "../../src/routing/pub.ts";
import { memory } from "../_util/pipe_end.ts";
import { FakeCrowd, optionsWith, TopicEnd } from "../_util/topic_end.ts";

describe("PUB", () => {
  it("follows subscriptions in both forms and shows none of them (PUB-06)", () => {
    const values = optionsWith();
    const pub = new PubPattern(values, memory, new FakeCrowd());
    const ends = [0, 1].map((minor) => new TopicEnd(pub, values, minor).subscribe("A", "B"));
    ends[1].unsubscribe("A");
    assertEquals([pub.canReceive, pub.receive()], [false, undefined]);
    pub.send("A");
    pub.send("B");
    assertEquals(ends.map((end) => end.told()), [["A", "B"], ["B"]]);
    assertEquals(pub.distributor.fan.topics(0), 2);
    ends.forEach((end) => end.leave());
    assertEquals([pub.distributor.fan.topics(0), pub.canReceive], [0, false]);
    assert(pub.send("B"));
    pub.free();
  });

  it("drops messages that are no requests, and goes on reading (PUB-01)", () => {
    const values = optionsWith({ receiveHighWaterMark: 2 });
    const pub = new PubPattern(values, memory, new FakeCrowd());
    const end = new TopicEnd(pub, values);
    for (let i = 0; i < 10; i++) end.say("hello", "you").say("");
    assertEquals([pub.canReceive, end.pipe.saturated, end.pipe.unread], [false, false, 0]);
  });

  it("takes no request out of a message that begins as another, whatever onlyFirstSubscribe says", () => {
    const values = optionsWith();
    const pub = new PubPattern(values, memory, new FakeCrowd());
    const end = new TopicEnd(pub, values).subscribe("A");
    end.say("x", "\x00A").say("", "\x01B").say("\x01C", "\x01D", "x");
    for (const topic of ["A", "B", "C", "D"]) pub.send(topic);
    assertEquals(end.told(), ["A", "C", "D"]);
  });

  it("can send and cannot receive (PUB-01)", () => {
    const pub = new PubPattern(optionsWith(), memory, new FakeCrowd());
    assert(pub.canSend);
    assertEquals(pub.refuse("send"), undefined);
    assertEquals(pub.refuse("receive")?.code, "ENOTSUP");
  });
});
