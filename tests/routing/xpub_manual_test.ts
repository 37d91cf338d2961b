// XPUB in manual mode: the user decides what the peer whose request was received last really gets.

import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { LIST_ACTIVE, LIST_REQUESTED } from "../../wasm/layout.ts";
import type { OptionValues } from "../../src/options.ts";
import { XPubPattern } from "../../src/routing/xpub.ts";
import { CANCEL, SUBSCRIBE } from "../../src/wire/subscription.ts";
import { utf8 } from "../_util/bytes.ts";
import { memory } from "../_util/pipe_end.ts";
import { failure } from "../_util/rejection.ts";
import { FakeCrowd, optionsWith, received, TopicEnd } from "../_util/topic_end.ts";

function stand(
  options: Partial<OptionValues> = { manual: true },
  peers = 2,
): { xpub: XPubPattern; ends: TopicEnd[] } {
  const values = optionsWith(options);
  const xpub = new XPubPattern(values, memory, new FakeCrowd());
  return { xpub, ends: Array.from({ length: peers }, () => new TopicEnd(xpub, values)) };
}

describe("XPUB in manual mode", () => {
  it("gives a peer the topic that the user chose instead of its own (XPUB-08)", () => {
    const { xpub, ends: [a] } = stand();
    a.subscribe("A");
    xpub.send("A");
    assertEquals(received(xpub), ["+A"]);
    xpub.decide(SUBSCRIBE, utf8("XA"));
    xpub.send("A");
    xpub.send("XA");
    assertEquals(a.told(), ["XA"]);
  });

  it("shows every request, also repeated ones, and those of topics that others have", () => {
    const { xpub, ends: [a, b] } = stand();
    a.subscribe("A", "A");
    b.subscribe("A");
    a.unsubscribe("A", "A");
    assertEquals(received(xpub), ["+A", "+A", "+A", "-A", "-A"]);
  });

  it("keeps what a peer asked for apart from what it gets", () => {
    const { xpub, ends: [a] } = stand();
    a.subscribe("A", "B");
    received(xpub);
    xpub.decide(SUBSCRIBE, utf8("X"));
    const { fan } = xpub.distributor;
    assertEquals([fan.topics(LIST_ACTIVE), fan.topics(LIST_REQUESTED)], [1, 2]);
    assertEquals(xpub.distributor.topicsOf(a.pipe), 1);
    a.unsubscribe("A", "B");
    assertEquals([fan.topics(LIST_ACTIVE), fan.topics(LIST_REQUESTED)], [1, 0]);
    xpub.send("X");
    assertEquals(a.told(), ["X"]);
  });

  it("is about the peer whose request was received last", () => {
    const { xpub, ends: [a, b] } = stand();
    a.subscribe("A");
    b.subscribe("B");
    xpub.receive();
    xpub.decide(SUBSCRIBE, utf8("1"));
    xpub.receive();
    xpub.decide(SUBSCRIBE, utf8("2"));
    xpub.decide(SUBSCRIBE, utf8("3"));
    for (const topic of ["1", "2", "3"]) xpub.send(topic);
    assertEquals([a.told(), b.told()], [["1"], ["2", "3"]]);
  });

  it("goes on being about it while the user receives other messages", () => {
    const { xpub, ends: [a, b] } = stand();
    a.subscribe("A");
    b.say("hello");
    assertEquals(received(xpub), ["+A", "hello"]);
    xpub.decide(SUBSCRIBE, utf8("1"));
    xpub.send("1");
    assertEquals([a.told(), b.told()], [["1"], []]);
  });

  it("takes topics away again", () => {
    const { xpub, ends: [a] } = stand();
    a.subscribe("A");
    received(xpub);
    for (const topic of ["1", "2"]) xpub.decide(SUBSCRIBE, utf8(topic));
    a.unsubscribe("A");
    received(xpub);
    xpub.decide(CANCEL, utf8("1"));
    xpub.decide(CANCEL, utf8("never had"));
    for (const topic of ["1", "2"]) xpub.send(topic);
    assertEquals(a.told(), ["2"]);
  });

  it("has no effect when nobody asked, or when the peer is gone", () => {
    const { xpub, ends: [a, b] } = stand();
    xpub.decide(SUBSCRIBE, utf8("A"));
    b.subscribe("B");
    a.subscribe("A");
    assertEquals(received(xpub), ["+B", "+A"]);
    a.leave();
    assertEquals(received(xpub), ["-A"]);
    xpub.decide(SUBSCRIBE, utf8("A"));
    xpub.send("A");
    assertEquals([a.told(), b.told()], [[], []]);
    assertEquals(xpub.distributor.fan.topics(LIST_ACTIVE), 0);
  });

  it("tells all that a lost peer had asked for, and forgets what it got", () => {
    const { xpub, ends: [a, b] } = stand();
    a.subscribe("A", "B");
    b.subscribe("A");
    received(xpub);
    xpub.decide(SUBSCRIBE, utf8("X"));
    b.lose();
    assertEquals(received(xpub), ["-A"]);
    a.lose();
    assertEquals(received(xpub).sort(), ["-A", "-B"]);
    assertEquals(xpub.distributor.fan.topics(LIST_ACTIVE), 0);
  });

  it("counts what was asked for against maxSubscriptions", () => {
    const { xpub, ends: [a] } = stand({ manual: true, maxSubscriptions: 2 });
    a.subscribe("A", "B");
    received(xpub);
    for (const topic of ["1", "2", "3"]) xpub.decide(SUBSCRIBE, utf8(topic));
    assertEquals(a.refusal, undefined);
    a.subscribe("C");
    assert(a.refusal !== undefined);
  });

  it("has to be on for the user to decide anything", () => {
    const { xpub, ends: [a] } = stand({});
    a.subscribe("A");
    received(xpub);
    for (const kind of [SUBSCRIBE, CANCEL]) failure(() => xpub.decide(kind, utf8("A")), "EINVAL");
  });
});

describe("XPUB with manualLastValue", () => {
  const options = { manualLastValue: true };

  it("sends the next message only to the peer that was subscribed last", () => {
    const { xpub, ends: [a, b] } = stand(options);
    a.subscribe("A");
    received(xpub);
    xpub.decide(SUBSCRIBE, utf8("A"));
    xpub.send("A old");
    b.subscribe("A");
    received(xpub);
    xpub.decide(SUBSCRIBE, utf8("A"));
    xpub.send("A last");
    xpub.send("A new");
    assertEquals([a.told(), b.told()], [["A old", "A new"], ["A last", "A new"]]);
  });

  it("is not armed by a request that is received, nor by a topic that is taken away", () => {
    const { xpub, ends: [a, b] } = stand(options);
    for (const end of [a, b]) {
      end.subscribe("A");
      received(xpub);
      xpub.decide(SUBSCRIBE, utf8("A"));
      xpub.send("armed");
    }
    b.subscribe("B");
    received(xpub);
    xpub.send("A1");
    xpub.decide(CANCEL, utf8("B"));
    xpub.send("A2");
    assertEquals([a.told(), b.told()], [["A1", "A2"], ["A1", "A2"]]);
  });

  it("is used up by a message that the peer does not match, as in libzmq", () => {
    const { xpub, ends: [a, b] } = stand(options);
    a.subscribe("A");
    received(xpub);
    xpub.decide(SUBSCRIBE, utf8("A"));
    b.subscribe("B");
    xpub.send("B is for nobody");
    xpub.send("A");
    assertEquals([a.told(), b.told()], [["A"], []]);
  });

  it("is called off when the peer is lost", () => {
    const { xpub, ends: [a, b] } = stand(options);
    for (const end of [a, b]) {
      end.subscribe("A");
      received(xpub);
      xpub.decide(SUBSCRIBE, utf8("A"));
    }
    b.lose();
    xpub.send("A");
    assertEquals([a.told(), b.told()], [["A"], []]);
  });

  it("waits with noDrop for a peer that is full, and no other gets the message meanwhile", () => {
    const { xpub, ends: [a, b] } = stand({ ...options, noDrop: true, sendHighWaterMark: 1 });
    for (const end of [a, b]) {
      end.subscribe("");
      received(xpub);
      xpub.decide(SUBSCRIBE, utf8(""));
      xpub.send("last value");
    }
    const body = "x".repeat(200);
    assert(xpub.send(body));
    b.subscribe("more");
    received(xpub);
    xpub.decide(SUBSCRIBE, utf8("more"));
    assertEquals(xpub.send("more"), false);
    assertEquals(a.told(), ["last value", body]);
    assertEquals(xpub.send("more"), false);
    assertEquals(b.told(), ["last value", body]);
    assert(xpub.send("more"));
    assertEquals([a.told(), b.told()], [[], ["more"]]);
    assert(xpub.send("all"));
    assertEquals([a.told(), b.told()], [["all"], ["all"]]);
  });
});
