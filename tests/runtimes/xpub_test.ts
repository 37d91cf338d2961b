// XPUB: subscriptions come to the application, once or each time; user messages; topics of all lengths; the welcome message.

import { assert, assertEquals } from "@std/assert";
import { afterEach, beforeEach, it } from "@std/testing/bdd";
import { Publisher, Subscriber, type XPublisher, XSubscriber } from "../../mod.ts";
import { anywhere, SYSTEM_TRANSPORTS, TRANSPORTS } from "../_util/anywhere.ts";
import { assertFrames, textsOf, utf8 } from "../_util/bytes.ts";
import { eventually } from "../_util/deadline.ts";
import { concat } from "../_util/octets.ts";
import { peers, subscribed, takeMany, takeTexts } from "../_util/pubsub.ts";
import { heard, heardRaw, PublisherStage } from "../_util/publisher_stage.ts";
import {
  cancelCommand,
  cancelMessage,
  subscribeCommand,
  subscribeMessage,
} from "../_util/raw_subscriptions.ts";
import { frame, message, takeMessage } from "../_util/raw_zmtp.ts";
import { describeOver, DISTINCT_TRANSPORTS } from "../_util/transports.ts";

const RECEIVES = { receiveTimeout: 5_000 } as const;

let publisher: XPublisher;

describeOver(TRANSPORTS, "an XPublisher", (transport) => {
  const stage = new PublisherStage(transport);
  beforeEach(async () => {
    publisher = await stage.openExtended();
  });
  afterEach(() => stage.cleanup.run());

  it("receives each topic when the first subscriber wants it and when none does any more", async () => {
    const [first, second] = [await stage.guest(publisher), await stage.guest(publisher)];
    assertEquals(await heard(publisher, first, "+a"), ["\x01a"]);
    assertEquals(await heard(publisher, second, "+a"), []);
    assertEquals(await heard(publisher, first, "+ab"), ["\x01ab"]);
    assertEquals(await heard(publisher, first, "-a"), []);
    assertEquals(await heard(publisher, second, "-a"), ["\0a"]);
    assertEquals(await heard(publisher, first, "-ab"), ["\0ab"]);
  });

  it("is told once of a topic that one subscriber sends twice; one end is enough", async () => {
    const peer = await stage.guest(publisher);
    assertEquals(await heard(publisher, peer, "+a", "+a"), [
      "\x01a",
    ]);
    assertEquals(publisher.stats().peers[0].subscriptions, 1);
    assertEquals(await heard(publisher, peer, "-a"), ["\0a"]);
    assertEquals(publisher.topicsCount, 0);
  });

  it("does not hear the end of a topic from one who never had it while another has", async () => {
    const [first, second] = [await stage.guest(publisher), await stage.guest(publisher)];
    await heard(publisher, first, "+a");
    for (const verbosity of [null, "allSubs", "allSubsUnsubs"] as const) {
      publisher.verbosity = verbosity;
      assertEquals(await heard(publisher, second, "-a", "-a"), []);
    }
    await publisher.send("a");
    assertFrames(await first.hear(), ["a"]);
    assertEquals(await heard(publisher, first, "-a"), ["\0a"]);
  });

  it("receives one frame, octets as they are", async () => {
    const subscriber = stage.connect(publisher);
    subscriber.subscribe(Uint8Array.of(0, 1, 255));
    assertFrames(await publisher.receive(), [Uint8Array.of(1, 0, 1, 255)]);
    subscriber.unsubscribe(Uint8Array.of(0, 1, 255));
    assertFrames(await publisher.receive(), [Uint8Array.of(0, 0, 1, 255)]);
  });

  it("sends as a Publisher does", async () => {
    const [one, all] = [stage.connect(publisher), stage.connect(publisher)];
    one.subscribe("a");
    all.subscribe("");
    await subscribed(publisher, 2);
    await publisher.send(["b", "x"]);
    await publisher.send(["ab", "y"]);
    assertEquals(await takeTexts(one), ["ab", "y"]);
    assertEquals([await takeTexts(all), await takeTexts(all)], [["b", "x"], ["ab", "y"]]);
  });

  it("serves a topic from the moment it has received it", async () => {
    const subscriber = stage.connect(publisher);
    for (let i = 0; i < 100; i++) {
      subscriber.subscribe(`topic ${i}`);
      const [request] = await takeTexts(publisher);
      assertEquals(request, `\x01topic ${i}`);
      await publisher.send([request.slice(1), "for you"]);
      assertEquals(await takeTexts(subscriber), [`topic ${i}`, "for you"]);
      subscriber.unsubscribe(`topic ${i}`);
      assertEquals(await takeTexts(publisher), [`\0topic ${i}`]);
    }
  });

  it("is told of each topic of a subscriber that is lost, unless another has it", async () => {
    const [lost, kept] = [await stage.guest(publisher), await stage.guest(publisher)];
    const topics = ["a", "ab", "abc", "b", "shared"];
    await heard(publisher, lost, ...topics.map((topic) => `+${topic}`));
    await heard(publisher, kept, "+shared");
    lost.leave();
    assertEquals((await takeMany(publisher, 4)).sort(), ["\0a", "\0ab", "\0abc", "\0b"]);
    assertEquals(await heard(publisher, kept), []);
    kept.leave();
    assertEquals(await takeTexts(publisher), ["\0shared"]);
    await peers(publisher, 0);
  });

  it("is told so too when it loses its subscriber by its own doing", async () => {
    const subscriber = stage.cleanup.add(new Subscriber());
    await subscriber.bind(anywhere(transport));
    subscriber.subscribe("a");
    publisher.connect(subscriber.lastEndpoint!);
    assertEquals(await takeTexts(publisher), ["\x01a"]);
    publisher.disconnect(subscriber.lastEndpoint!);
    assertEquals(await takeTexts(publisher), ["\0a"]);
    assertEquals(publisher.topicsCount, 0);
  });

  it("gets user messages as they are, in order with the subscriptions around them", async () => {
    const peer = await stage.guest(publisher);
    const sent = [
      "+a",
      ["hello"],
      "+b",
      ["\x02a"],
      [""],
      "-a",
      ["two", "frames"],
      "-b",
    ];
    const expected = ["\x01a", "hello", "\x01b", "\x02a", "", "\0a", "two|frames", "\0b"];
    assertEquals(await heard(publisher, peer, ...sent), expected);
  });

  it("gets user messages of an XSubscriber", async () => {
    const subscriber = stage.cleanup.add(new XSubscriber());
    subscriber.connect(publisher.lastEndpoint!);
    await subscriber.send("\x01first");
    assertEquals(await takeTexts(publisher), ["\x01first"]);
    await subscriber.send("\x02A");
    await subscriber.send(["up", "", "stream"]);
    await subscriber.send("\x01A");
    await subscriber.send("after");
    assertEquals(await takeTexts(publisher), ["\x02A"]);
    assertEquals(await takeTexts(publisher), ["up", "", "stream"]);
    assertEquals(await takeTexts(publisher), ["\x01A"]);
    assertEquals(await takeTexts(publisher), ["after"]);
  });

  it("keeps requests that are unread while it sends", async () => {
    const subscriber = stage.connect(publisher);
    const topics = Array.from({ length: 500 }, (_, i) => `t${i}.`);
    subscriber.subscribe(...topics);
    await subscribed(publisher, 500);
    for (const topic of topics) await publisher.send(topic);
    assertEquals(await takeMany(subscriber, 500), topics);
    const requests = await takeMany(publisher, 500);
    assertEquals(requests.sort(), topics.map((topic) => `\x01${topic}`).sort());
  });

  it("may be iterated over", async () => {
    const subscriber = stage.connect(publisher);
    subscriber.subscribe("a", "b");
    const requests: string[] = [];
    for await (const [request] of publisher) {
      requests.push(String(request));
      if (requests.length === 2) break;
    }
    assertEquals(requests.sort(), ["\x01a", "\x01b"]);
  });

  it("forwards a subscription and then a message through a device by hand", async () => {
    const upstream = stage.cleanup.add(new XSubscriber(RECEIVES));
    await upstream.bind(anywhere(transport));
    const source = stage.cleanup.add(new Publisher());
    source.connect(upstream.lastEndpoint!);
    const subscriber = stage.connect(publisher);
    subscriber.subscribe();
    await upstream.send(await publisher.receive());
    await subscribed(source, 1);
    await source.send("");
    await publisher.send(await upstream.receive());
    assertEquals(await takeTexts(subscriber), [""]);
  });
});

describeOver(
  DISTINCT_TRANSPORTS,
  "requests that are unread when their subscriber is lost",
  (transport) => {
    const stage = new PublisherStage(transport);
    beforeEach(async () => {
      publisher = await stage.openExtended();
    });
    afterEach(() => stage.cleanup.run());

    /** The topics that an application knows of, having read all requests. */
    async function known(): Promise<string[]> {
      const peer = await stage.guest(publisher);
      const topics = new Set<string>();
      for (const text of await heard(publisher, peer)) {
        if (text.startsWith("\x01")) topics.add(text.slice(1));
        else topics.delete(text.slice(1));
      }
      peer.leave();
      return [...topics].sort();
    }

    it("leave nothing behind", async () => {
      for (let i = 0; i < 100; i++) {
        const peer = await stage.guest(publisher);
        peer.ask(...Array.from({ length: 20 }, (_, j) => `+${i % 10} ${j}`));
        await subscribed(publisher, 20);
        peer.leave();
        await peers(publisher, 0);
      }
      publisher.receiveTimeout = 0;
      let left = 0;
      while (await publisher.receive().then(() => true, () => false)) left++;
      assert(left <= 2 * 200, `${left} requests of subscribers that are gone`);
      publisher.receiveTimeout = RECEIVES.receiveTimeout;
      assertEquals(await known(), []);
    });

    it("do not take away what another still has, or wanted first", async () => {
      const [first, second] = [await stage.guest(publisher), await stage.guest(publisher)];
      first.ask("+a", "+b");
      await subscribed(publisher, 2);
      second.ask("+b", "+c");
      await subscribed(publisher, 4);
      first.leave();
      await peers(publisher, 1);
      assertEquals(await known(), ["b", "c"]);
      second.leave();
      await peers(publisher, 0);
      assertEquals(await known(), []);
    });

    it("of a subscriber that wavered end as they should", async () => {
      const peer = await stage.guest(publisher);
      peer.ask("+a", "+b", "+c", "-a", "-b", "+a", ["user message"]);
      await subscribed(publisher, 2);
      const other = await stage.guest(publisher);
      other.ask("+d", "-d", "+a");
      await subscribed(publisher, 3);
      peer.leave();
      await peers(publisher, 1);
      const texts = await heard(publisher, other);
      assert(texts.includes("user message"));
      const last = (topic: string) => texts.findLast((text) => text.slice(1) === topic);
      assertEquals(["a", "b"].map(last), ["\x01a", "\0b"]);
      assert([undefined, "\0c"].includes(last("c")) && [undefined, "\0d"].includes(last("d")));
    });
  },
);

describeOver(TRANSPORTS, "the topics of an XPublisher", (transport) => {
  const stage = new PublisherStage(transport);
  beforeEach(async () => {
    publisher = await stage.openExtended();
  });
  afterEach(() => stage.cleanup.run());

  const LENGTHS = [0, 1, 244, 245, 246, 247, 248, 249, 253, 254, 255, 256, 257, 1000, 4095, 4096];
  for (const length of LENGTHS) {
    it(`may have ${length} octets`, async () => {
      const topic = "A".repeat(length);
      const subscriber = stage.connect(publisher);
      subscriber.subscribe(topic);
      assertFrames(await publisher.receive(), [`\x01${topic}`]);
      await publisher.send([`${topic}!`, "x"]);
      assertEquals(await takeTexts(subscriber), [`${topic}!`, "x"]);
      subscriber.unsubscribe(topic);
      assertFrames(await publisher.receive(), [`\0${topic}`]);
      if (transport === "inproc") return;
      const peer = await stage.raw(publisher);
      for (const form of [subscribeCommand, subscribeMessage]) {
        assertEquals(await heardRaw(publisher, peer, form(topic)), [`\x01${topic}`]);
        const cancel = form === subscribeCommand ? cancelCommand : cancelMessage;
        assertEquals(await heardRaw(publisher, peer, cancel(topic)), [`\0${topic}`]);
      }
    });
  }
});

describeOver(TRANSPORTS, "onlyFirstSubscribe", (transport) => {
  const stage = new PublisherStage(transport);
  beforeEach(async () => {
    publisher = await stage.openExtended();
  });
  afterEach(() => stage.cleanup.run());

  it("leaves user messages alone whose later frames look like subscriptions", async () => {
    publisher.onlyFirstSubscribe = true;
    const subscriber = stage.cleanup.add(new XSubscriber({ onlyFirstSubscribe: true }));
    subscriber.connect(publisher.lastEndpoint!);
    for (const second of ["\0BC", "\x01BC"]) {
      await subscriber.send(["ABC", second]);
      assertEquals(await takeTexts(publisher), ["ABC", second]);
    }
    assertEquals([publisher.topicsCount, subscriber.topicsCount], [0, 0]);
  });
});

describeOver(SYSTEM_TRANSPORTS, "on the wire, an XPublisher", (transport) => {
  const stage = new PublisherStage(transport);
  beforeEach(async () => {
    publisher = await stage.openExtended();
  });
  afterEach(() => stage.cleanup.run());

  it("receives the same for both forms of requests", async () => {
    const peer = await stage.raw(publisher);
    const sent = [
      subscribeCommand("a"),
      subscribeMessage("b"),
      cancelMessage("a"),
      cancelCommand("b"),
      subscribeMessage(""),
      cancelCommand(""),
    ];
    assertEquals(await heardRaw(publisher, peer, ...sent), [
      "\x01a",
      "\x01b",
      "\0a",
      "\0b",
      "\x01",
      "\0",
    ]);
  });

  it("takes topics as long as maxTopicLength says, and no longer", async () => {
    publisher.maxTopicLength = 10;
    const [good, bad] = [await stage.raw(publisher), await stage.raw(publisher)];
    assertEquals(await heardRaw(publisher, good, subscribeCommand("x".repeat(10))), [
      "\x01xxxxxxxxxx",
    ]);
    bad.send(subscribeCommand("x".repeat(11)));
    await bad.untilClosed();
    publisher.maxTopicLength = 65_526;
    const [long, longer] = ["y".repeat(60_000), "z".repeat(65_526)];
    assertEquals(await heardRaw(publisher, good, subscribeCommand(long)), [`\x01${long}`]);
    assertEquals(await heardRaw(publisher, good, subscribeMessage(longer)), [`\x01${longer}`]);
    assertEquals(await heardRaw(publisher, good, cancelCommand(longer)), [`\0${longer}`]);
  });

  it("takes as many topics of each peer as maxSubscriptions says, and no more", async () => {
    publisher.maxSubscriptions = 3;
    const [good, bad] = [await stage.raw(publisher), await stage.raw(publisher)];
    const topics = ["a", "b", "c"].map(subscribeCommand);
    await heardRaw(publisher, good, ...topics, ...topics);
    await heardRaw(publisher, good, cancelCommand("a"), subscribeCommand("d"));
    bad.send(...topics, subscribeCommand("e"));
    await bad.untilClosed();
    await peers(publisher, 1);
    assertEquals(publisher.topicsCount, 3);
    await publisher.send("d1");
    assertFrames(await takeMessage(good), ["d1"]);
  });

  it("counts a command among the frames of a message, and leaves the message alone", async () => {
    const peer = await stage.raw(publisher);
    const sent = concat(frame("user", true), subscribeCommand("a"), frame("message"));
    const texts = await heardRaw(publisher, peer, sent);
    assertEquals(texts.sort(), ["\x01a", "user|message"]);
    assert(publisher.topicsCount === 1);
    await eventually(() => publisher.stats().peers.length === 1);
  });

  it("without onlyFirstSubscribe, costs no frame of a message with one that looks like a request", async () => {
    const peer = await stage.raw(publisher);
    const texts = (await heardRaw(publisher, peer, message(utf8("user"), "\x02", "tail"))).flatMap((
      text,
    ) => text.split("|"));
    assertEquals(texts, textsOf([utf8("user"), utf8("\x02"), utf8("tail")]));
  });

  it("with onlyFirstSubscribe, takes messages whose later frames look like requests as they are", async () => {
    publisher.onlyFirstSubscribe = true;
    const peer = await stage.raw(publisher);
    assertEquals(await heardRaw(publisher, peer, message("user", "\x01a", "\0b")), [
      "user|\x01a|\0b",
    ]);
    assertEquals(publisher.topicsCount, 0);
  });
});
