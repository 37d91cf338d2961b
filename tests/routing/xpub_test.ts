// XPUB: who subscribed to what as the user sees it, and what peers may ask for.

import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { CoreMemory } from "../../src/core/memory.ts";
import { ZmqError } from "../../src/errors.ts";
import type { OptionValues } from "../../src/options.ts";
import { WirePipe } from "../../src/routing/pipe.ts";
import { XPubPattern } from "../../src/routing/xpub.ts";
import { encodeMessage } from "../core/models/frame_model.ts";
import { pattern } from "../_util/octets.ts";
import { memory } from "../_util/pipe_end.ts";
import { FakeCrowd, optionsWith, received, TopicEnd } from "../_util/topic_end.ts";

/** An XPUB with so many subscribers, of ZMTP 3.1 unless said otherwise. */
function stand(
  options: Partial<OptionValues> = {},
  minors: readonly number[] = [1, 1],
): { xpub: XPubPattern; ends: TopicEnd[] } {
  const values = optionsWith(options);
  const xpub = new XPubPattern(values, memory, new FakeCrowd());
  return { xpub, ends: minors.map((minor) => new TopicEnd(xpub, values, minor)) };
}

function topicsOf(xpub: XPubPattern, ends: readonly TopicEnd[]): number[] {
  return ends.map(({ pipe }) => xpub.distributor.topicsOf(pipe));
}

describe("XPUB", () => {
  for (
    const [form, minors] of [["commands", [1, 1]], ["messages", [0, 0]], ["both", [0, 1]]] as const
  ) {
    it(`shows the first subscription to a topic and the last end of one, that come as ${form} (XPUB-03, XPUB-04, XPUB-06, ZMTP31-SUB-06)`, () => {
      const { xpub, ends: [a, b] } = stand({}, minors);
      a.subscribe("A", "B");
      b.subscribe("A");
      a.unsubscribe("A", "B");
      b.unsubscribe("A");
      assertEquals(received(xpub), ["+A", "+B", "-B", "-A"]);
      assertEquals(topicsOf(xpub, [a, b]), [0, 0]);
    });
  }

  it("gives a message to those who subscribed to a start of it, once each (PUB-03, PUB-04, ZMTP31-SUB-01, ZMTP31-SUB-04)", () => {
    const { xpub, ends: [a, b] } = stand();
    a.subscribe("", "we", "weather");
    b.subscribe("weather/oslo");
    assert(xpub.send(["weather/bergen", "9"]));
    assert(xpub.send("weather/oslo"));
    assertEquals([a.told(), b.told()], [["weather/bergen|9", "weather/oslo"], ["weather/oslo"]]);
    a.unsubscribe("", "we");
    xpub.send("west");
    xpub.send("weather");
    assertEquals([a.told(), b.told()], [["weather"], []]);
  });

  it("drops what nobody asked for (PUB-03)", () => {
    const { xpub, ends: [a, b] } = stand();
    assert(xpub.canSend && xpub.send("A"));
    a.subscribe("B");
    assert(xpub.send("A"));
    assertEquals([a.told(), b.told()], [[], []]);
  });

  it("does not show a topic again that the same peer repeats, and one end ends it (PUBSUB-X-02)", () => {
    const { xpub, ends: [a] } = stand();
    a.subscribe("A", "A", "A");
    assertEquals(received(xpub), ["+A"]);
    a.unsubscribe("A");
    assertEquals(received(xpub), ["-A"]);
    xpub.send("A");
    assertEquals(a.told(), []);
  });

  it("shows the end of a topic that nobody had, as libzmq does, and not of one that others have (PUBSUB-X-03)", () => {
    const { xpub, ends: [a, b] } = stand({ verbosity: "allSubsUnsubs" });
    a.subscribe("A");
    b.unsubscribe("A", "B");
    assertEquals(received(xpub), ["+A", "-B"]);
    xpub.send("A");
    assertEquals(a.told(), ["A"]);
  });

  it("keeps order between messages and commands of one peer", () => {
    const { xpub, ends: [a] } = stand();
    // The link tells about messages only behind the read in which the command was.
    a.pipe.inbox.push(encodeMessage([pattern(3)]), 1);
    a.subscribe("A");
    const [first] = xpub.receive()!;
    assertEquals(first.length, 3);
    assertEquals(received(xpub), ["+A"]);
  });

  it("ignores commands that it does not know", () => {
    const { xpub, ends: [a] } = stand();
    assertEquals(xpub.command(a.pipe, "JOIN", pattern(3)), undefined);
    assertEquals([received(xpub), xpub.canReceive], [[], false]);
  });

  it("tells that a lost peer's topics are gone, but for those that others have (XPUB-05)", () => {
    const { xpub, ends: [a, b] } = stand();
    a.subscribe("A", "B", "C");
    b.subscribe("B");
    received(xpub);
    a.lose();
    assertEquals(received(xpub).sort(), ["-A", "-C"]);
    assertEquals(topicsOf(xpub, [a, b]), [0, 1]);
    b.leave();
    assertEquals(received(xpub), ["-B"]);
    assert(xpub.send("B"));
  });

  it("begins anew with a peer that comes again, whose topics it forgot", () => {
    const { xpub, ends: [a] } = stand();
    a.subscribe("A");
    xpub.receive();
    a.lose();
    a.connect();
    xpub.send("A");
    assertEquals(a.told(), []);
    a.subscribe("B");
    xpub.send("B");
    assertEquals(a.told(), ["B"]);
    assertEquals(received(xpub), ["-A", "+B"]);
  });

  it("takes no request from a peer that is not connected", () => {
    const { xpub, ends: [a] } = stand();
    a.lose();
    a.subscribe("A");
    assertEquals([received(xpub), xpub.distributor.fan.topics(0)], [[], 0]);
  });

  it("hands out thousands of reports in order", () => {
    const { xpub, ends: [a] } = stand();
    const topics = Array.from({ length: 5_000 }, (_, i) => `topic ${i}`);
    for (const topic of topics.slice(0, 3_000)) a.subscribe(topic);
    const first = Array.from({ length: 1_500 }, () => xpub.receive()![0].toString().slice(1));
    for (const topic of topics.slice(3_000)) a.subscribe(topic);
    assertEquals([...first, ...received(xpub).map((each) => each.slice(1))], topics);
  });
});

describe("what the user of an XPUB has not read yet", () => {
  it("is taken back when the peer whose subscription it tells is lost", () => {
    const { xpub, ends: [a, b] } = stand();
    a.subscribe("A", "B", "C");
    b.subscribe("D");
    xpub.receive();
    a.lose();
    assertEquals(received(xpub), ["+D", "-A"]);
  });

  it("stays as long as another peer has the topic", () => {
    const { xpub, ends: [a, b] } = stand();
    a.subscribe("A");
    b.subscribe("A");
    a.lose();
    assertEquals(received(xpub), ["+A"]);
    b.lose();
    assertEquals(received(xpub), ["-A"]);
  });

  it("is taken back with the last of the peers that had the topic", () => {
    const { xpub, ends: [a, b] } = stand();
    a.subscribe("A");
    b.subscribe("A");
    a.lose();
    b.lose();
    assertEquals(received(xpub), []);
  });

  it("keeps its order, whatever is taken back: what is left says who has what", () => {
    const { xpub, ends: [a, b] } = stand();
    a.subscribe("A");
    a.unsubscribe("A");
    b.say("hello");
    a.subscribe("A", "B");
    b.say("there");
    a.lose();
    assertEquals(received(xpub), ["+A", "-A", "hello", "there"]);
  });

  it("is taken back also when the user has read part of what was before it", () => {
    const { xpub, ends: [a] } = stand();
    a.subscribe("A");
    a.unsubscribe("A");
    a.subscribe("A");
    assertEquals(xpub.receive()![0][0], 1);
    a.lose();
    assertEquals(received(xpub), ["-A"]);
  });

  it("does not pile up by peers that come and go", () => {
    const { xpub, ends: [a, b] } = stand();
    b.say("message");
    for (let i = 0; i < 500; i++) a.connect().subscribe("A", `topic ${i}`).lose();
    assertEquals(received(xpub), ["message"]);
    assertEquals(a.pipe.unread, 0);
  });

  it("is about each peer by itself in manual mode and with allSubsUnsubs", () => {
    for (const options of [{ manual: true }, { verbosity: "allSubsUnsubs" }] as const) {
      const { xpub, ends: [a, b] } = stand(options);
      a.subscribe("A");
      b.subscribe("A", "B");
      a.lose();
      assertEquals(received(xpub), ["+A", "+B"]);
      b.lose();
      assertEquals(received(xpub).sort(), ["-A", "-B"]);
    }
  });

  it("costs a lost peer what it had, not what all others have", () => {
    const values = optionsWith();
    const xpub = new XPubPattern(values, memory, new FakeCrowd());
    const ends = Array.from({ length: 300 }, () => new TopicEnd(xpub, values));
    for (const [i, end] of ends.entries()) {
      for (let j = 0; j < 400; j++) end.subscribe(`${i}/${j}`);
    }
    // This would take very long if each looked at what the others had asked for.
    for (const end of ends) end.lose();
    assertEquals(received(xpub), []);
  });
});

describe("XPUB's verbosity", () => {
  it("shows every subscription with allSubs, and the last end alone", () => {
    const { xpub, ends: [a, b] } = stand({ verbosity: "allSubs" });
    a.subscribe("A", "A");
    b.subscribe("A");
    a.unsubscribe("A");
    b.unsubscribe("A");
    assertEquals(received(xpub), ["+A", "+A", "+A", "-A"]);
  });

  it("shows every subscription and every end with allSubsUnsubs, also those of a lost peer", () => {
    const { xpub, ends: [a, b] } = stand({ verbosity: "allSubsUnsubs" });
    a.subscribe("A");
    b.subscribe("A", "B");
    a.unsubscribe("A");
    assertEquals(received(xpub), ["+A", "+A", "+B", "-A"]);
    b.leave();
    assertEquals(received(xpub).sort(), ["-A", "-B"]);
  });
});

describe("XPUB's user messages", () => {
  it("arrive as they are, with their empty frames (XPUB-07)", () => {
    const { xpub, ends: [a] } = stand();
    a.say("hello").say("", "\x02x").say("");
    assertEquals(received(xpub), ["hello", "|\x02x", ""]);
  });

  it("lose the frames that are requests, wherever these stand", () => {
    const { xpub, ends: [a] } = stand();
    a.say("x", "\x01A", "y", "\x01B").say("\x00A", "z");
    assertEquals(received(xpub), ["+A", "+B", "x|y", "-A", "z"]);
  });

  it("are left whole by onlyFirstSubscribe, unless the first frame is a request", () => {
    const { xpub, ends: [a] } = stand({ onlyFirstSubscribe: true });
    a.say("x", "\x01A").say("\x01B", "\x01C", "y");
    assertEquals(received(xpub), ["x|\x01A", "+B", "+C", "y"]);
    assertEquals(xpub.distributor.fan.topics(0), 2);
  });

  it("count as unread until the user has them, so that a link stops and goes on", () => {
    const { xpub, ends: [a] } = stand({ receiveHighWaterMark: 4 });
    a.say("1").say("2").unsubscribe("A").say("3");
    assertEquals([a.pipe.unread, a.pipe.saturated], [4, true]);
    a.pipe.paused = true;
    xpub.receive();
    assertEquals([a.resumed, a.pipe.saturated], [0, false]);
    xpub.receive();
    assertEquals([a.resumed, a.pipe.paused], [1, false]);
    assertEquals(received(xpub), ["-A", "3"]);
    assertEquals(a.pipe.unread, 0);
  });

  it("count, but new topics do not: an XPUB that is never received from takes them all", () => {
    const { xpub, ends: [a] } = stand({ receiveHighWaterMark: 2, verbosity: "allSubs" });
    for (let i = 0; i < 100; i++) a.subscribe(String(i));
    assertEquals([a.pipe.unread, xpub.distributor.fan.topics(0)], [0, 100]);
    a.subscribe("0");
    a.unsubscribe("1");
    assertEquals([a.pipe.unread, a.pipe.saturated], [2, true]);
    assertEquals(received(xpub).length, 102);
    assertEquals(a.pipe.unread, 0);
  });
});

describe("XPUB's welcome message", () => {
  it("is the first that a subscriber gets, on every connection", () => {
    for (const welcomeMessage of ["hi", Uint8Array.of(104, 105)]) {
      const { xpub, ends: [a] } = stand({ welcomeMessage });
      a.subscribe("");
      xpub.send("news");
      assertEquals(a.told(), ["hi", "news"]);
      a.lose();
      assertEquals(a.connect().told(), ["hi"]);
    }
  });

  it("is none when it is empty, as in libzmq", () => {
    for (const welcomeMessage of ["", new Uint8Array(0), null]) {
      assertEquals(stand({ welcomeMessage }).ends[0].told(), []);
    }
  });
});

describe("XPUB's limits", () => {
  for (const minor of [0, 1]) {
    it(`end the connection of a peer with too long a topic, of ZMTP 3.${minor}; others are served`, () => {
      const { xpub, ends: [a, b] } = stand({ maxTopicLength: 5 }, [minor, minor]);
      b.subscribe("A");
      a.subscribe("12345");
      assertEquals([received(xpub), a.refusal], [["+A", "+12345"], undefined]);
      a.subscribe("123456", "B");
      assertInstanceOf(a.refusal, ZmqError);
      assertEquals(a.refusal.code, "EMSGSIZE");
      assertEquals(received(xpub), ["-12345"]);
      xpub.send("A");
      assertEquals(b.told(), ["A"]);
    });

    it(`end the connection of a peer with too many topics, of ZMTP 3.${minor}`, () => {
      const { xpub, ends: [a, b] } = stand({ maxSubscriptions: 3 }, [minor, minor]);
      a.subscribe("1", "2", "3", "2", "1");
      b.subscribe("1", "2", "3");
      a.unsubscribe("3");
      a.subscribe("4");
      assertEquals([a.refusal, b.refusal], [undefined, undefined]);
      a.subscribe("5");
      assertEquals((a.refusal as ZmqError | undefined)?.code, "ENOBUFS");
      assertEquals(topicsOf(xpub, [a, b]), [0, 3]);
      assertEquals(xpub.distributor.fan.topics(0), 3);
    });

    it(`never let a topic of ZMTP 3.${minor} reach further than its room, not even to end it`, () => {
      const { xpub, ends: [a, b] } = stand({}, [minor, minor]);
      b.subscribe("A");
      a.unsubscribe(pattern(minor === 0 ? 300_000 : 65_526));
      assertEquals(received(xpub).slice(0, 1), ["+A"]);
      assertEquals(topicsOf(xpub, [a, b]), [0, 1]);
      xpub.send("A");
      assertEquals(b.told(), ["A"]);
    });
  }

  it("of 0 subscriptions are none", () => {
    const { xpub, ends: [a] } = stand({ maxSubscriptions: 0 });
    for (let i = 0; i < 2_000; i++) a.subscribe(String(i));
    assertEquals([a.refusal, topicsOf(xpub, [a])], [undefined, [2_000]]);
  });

  it("end the connection of a peer for whose topic there is no memory; others are served", () => {
    for (const minor of [0, 1]) {
      const small = new CoreMemory();
      const { exports } = small.outboxes;
      const values = optionsWith();
      const xpub = new XPubPattern(values, small, new FakeCrowd());
      const refusals: unknown[] = [];
      const [greedy, other] = [0, 1].map(() => {
        const pipe = new WirePipe(small.outboxes, values, () => () => {}, "peer");
        pipe.protocol = minor === 0 ? "3.0" : "3.1";
        pipe.link = { appended() {}, resume() {}, refuse: (reason) => refusals.push(reason) };
        xpub.linked(pipe);
        return pipe;
      });
      xpub.command(other, "SUBSCRIBE", pattern(3));
      exports.memoryLimit(small.outboxes.bytes.length / 65_536);
      for (let i = 0; i < 5_000 && refusals.length === 0; i++) {
        const topic = pattern(300, i);
        if (minor === 1) {
          const refusal = xpub.command(greedy, "SUBSCRIBE", topic);
          if (refusal !== undefined) refusals.push(refusal);
        } else {
          greedy.inbox.push(encodeMessage([Uint8Array.of(1, ...topic)]), 1);
          xpub.readable(greedy);
        }
      }
      assertEquals((refusals[0] as ZmqError).code, "ENOBUFS");
      xpub.unlinked(greedy);
      xpub.send(pattern(3));
      assertEquals(other.outbox.waiting, 1);
    }
  });
});
