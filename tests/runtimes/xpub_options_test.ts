// Options of XPUB: verbosity, the welcome message, inverted matching.

import { assertEquals } from "@std/assert";
import { afterEach, beforeEach, it } from "@std/testing/bdd";
import { Publisher, Subscriber, XPublisher } from "../../mod.ts";
import { anywhere, TRANSPORTS } from "../_util/anywhere.ts";
import { assertFrames } from "../_util/bytes.ts";
import { peers, subscribed, takeMany, takeTexts } from "../_util/pubsub.ts";
import { heard, PublisherStage } from "../_util/publisher_stage.ts";
import { describeOver } from "../_util/transports.ts";

const RECEIVES = { receiveTimeout: 5_000 } as const;

let publisher: XPublisher;

describeOver(TRANSPORTS, "verbosity", (transport) => {
  const stage = new PublisherStage(transport);
  beforeEach(async () => {
    publisher = await stage.openExtended();
  });
  afterEach(() => stage.cleanup.run());

  it("of allSubs has every subscription reported, of one subscriber and of several", async () => {
    publisher.verbosity = "allSubs";
    const [first, second] = [await stage.guest(publisher), await stage.guest(publisher)];
    const twice = ["+a", "+a"];
    assertEquals(await heard(publisher, first, ...twice), ["\x01a", "\x01a"]);
    assertEquals(await heard(publisher, second, ...twice), ["\x01a", "\x01a"]);
    assertEquals(await heard(publisher, first, "-a"), []);
    assertEquals(await heard(publisher, second, "-a"), ["\0a"]);
    assertEquals(publisher.topicsCount, 0);
  });

  it("of allSubsUnsubs has every end of one reported too", async () => {
    publisher.verbosity = "allSubsUnsubs";
    const [first, second] = [await stage.guest(publisher), await stage.guest(publisher)];
    assertEquals(await heard(publisher, first, "+a"), ["\x01a"]);
    assertEquals(await heard(publisher, second, "+a"), ["\x01a"]);
    assertEquals(await heard(publisher, first, "-a"), ["\0a"]);
    assertEquals(await heard(publisher, second, "-a"), ["\0a"]);
  });

  it("of allSubsUnsubs has the ends of a lost subscriber reported, each", async () => {
    publisher.verbosity = "allSubsUnsubs";
    const [first, second] = [await stage.guest(publisher), await stage.guest(publisher)];
    for (const peer of [first, second]) {
      await heard(publisher, peer, ...["+a", "+b"]);
    }
    first.leave();
    assertEquals((await takeMany(publisher, 2)).sort(), ["\0a", "\0b"]);
    assertEquals(await heard(publisher, second), []);
    second.leave();
    assertEquals((await takeMany(publisher, 2)).sort(), ["\0a", "\0b"]);
  });

  it("may change under way", async () => {
    const peer = await stage.guest(publisher);
    assertEquals(await heard(publisher, peer, "+a", "+a"), [
      "\x01a",
    ]);
    publisher.verbosity = "allSubs";
    assertEquals(await heard(publisher, peer, "+a"), ["\x01a"]);
    publisher.verbosity = null;
    assertEquals(await heard(publisher, peer, "+a"), []);
  });

  it("changes nothing in who gets what, and how often", async () => {
    publisher.verbosity = "allSubsUnsubs";
    const peer = await stage.guest(publisher);
    await heard(publisher, peer, ...["+a", "+a", "+ab", "+"]);
    await publisher.send("abc");
    await publisher.send("end");
    assertFrames(await peer.hear(), ["abc"]);
    assertFrames(await peer.hear(), ["end"]);
  });

  it("shows a Subscriber's topic once: it counts itself", async () => {
    publisher.verbosity = "allSubsUnsubs";
    const subscriber = stage.connect(publisher);
    subscriber.subscribe("first");
    assertEquals(await takeTexts(publisher), ["\x01first"]);
    subscriber.unsubscribe("a");
    subscriber.subscribe("a", "b", "a");
    subscriber.unsubscribe("a");
    subscriber.unsubscribe("a", "a");
    subscriber.subscribe("end");
    assertEquals(await takeMany(publisher, 4), ["\x01a", "\x01b", "\0a", "\x01end"]);
  });
});

describeOver(TRANSPORTS, "the welcome message", (transport) => {
  const stage = new PublisherStage(transport);
  beforeEach(async () => {
    publisher = await stage.openExtended();
  });
  afterEach(() => stage.cleanup.run());

  it("reaches each new subscriber that wants it, first of all", async () => {
    publisher.welcomeMessage = "Welcome";
    for (let i = 0; i < 3; i++) {
      const subscriber = stage.connect(publisher);
      subscriber.subscribe("W");
      assertEquals(await takeTexts(subscriber), ["Welcome"]);
    }
  });

  it("is sent right after the handshake, whatever the topics are, and once", async () => {
    publisher.welcomeMessage = Uint8Array.of(0, 1, 2);
    const peer = await stage.guest(publisher);
    assertFrames(await peer.hear(), [Uint8Array.of(0, 1, 2)]);
    await heard(publisher, peer, "+", "+a");
    await publisher.send("next");
    assertFrames(await peer.hear(), ["next"]);
  });

  it("is filtered out by a Subscriber that does not want it", async () => {
    publisher.welcomeMessage = "Welcome";
    const subscriber = stage.connect(publisher);
    subscriber.subscribe("a");
    await subscribed(publisher, 1);
    await publisher.send("a");
    assertEquals(await takeTexts(subscriber), ["a"]);
  });

  it("comes again after a reconnect, and is none any more when it is null or empty", async () => {
    publisher.welcomeMessage = "W";
    const subscriber = stage.cleanup.add(new Subscriber({ ...RECEIVES, reconnectInterval: 5 }));
    subscriber.subscribe("");
    subscriber.connect(publisher.lastEndpoint!);
    assertEquals(await takeTexts(subscriber), ["W"]);
    subscriber.disconnect(publisher.lastEndpoint!);
    subscriber.connect(publisher.lastEndpoint!);
    assertEquals(await takeTexts(subscriber), ["W"]);
    for (const none of [null, "", new Uint8Array(0)]) {
      publisher.welcomeMessage = none;
      const peer = await stage.guest(publisher);
      await heard(publisher, peer, "+x");
      await publisher.send("x");
      assertFrames(await peer.hear(), ["x"]);
      peer.leave();
    }
  });

  it("goes to the peers that an XPublisher connects to", async () => {
    publisher.welcomeMessage = "W";
    const subscriber = stage.cleanup.add(new Subscriber(RECEIVES));
    subscriber.subscribe("W");
    await subscriber.bind(anywhere(transport));
    publisher.connect(subscriber.lastEndpoint!);
    assertEquals(await takeTexts(subscriber), ["W"]);
  });
});

describeOver(TRANSPORTS, "invertMatching", (transport) => {
  const stage = new PublisherStage(transport);
  afterEach(() => stage.cleanup.run());

  for (const [name, type] of [["Publisher", Publisher], ["XPublisher", XPublisher]] as const) {
    it(`on a ${name} and its Subscribers gives them what does not match`, async () => {
      const source = stage.cleanup.add(new type());
      await source.bind(anywhere(transport));
      const [one, two] = ["prefix1", "p2"].map((topic) => {
        const subscriber = stage.cleanup.add(new Subscriber(RECEIVES));
        subscriber.connect(source.lastEndpoint!);
        subscriber.subscribe(topic);
        return subscriber;
      });
      await subscribed(source, 2);
      for (const text of ["prefix1", "p2"]) await source.send(text);
      assertEquals([await takeTexts(one), await takeTexts(two)], [["prefix1"], ["p2"]]);
      for (const socket of [source, one, two]) socket.invertMatching = true;
      for (const text of ["prefix1", "p2", "other"]) await source.send(text);
      assertEquals(await takeMany(one, 2), ["p2", "other"]);
      assertEquals(await takeMany(two, 2), ["prefix1", "other"]);
      for (const socket of [source, one, two]) socket.invertMatching = false;
      for (const text of ["other", "prefix1", "p2"]) await source.send(text);
      assertEquals([await takeTexts(one), await takeTexts(two)], [["prefix1"], ["p2"]]);
    });
  }

  it("on a publisher gives everything to peers without topics", async () => {
    const source = stage.cleanup.add(new Publisher({ invertMatching: true }));
    await source.bind(anywhere(transport));
    const options = { ...RECEIVES, invertMatching: true };
    const subscriber = stage.cleanup.add(new Subscriber(options));
    subscriber.connect(source.lastEndpoint!);
    await peers(source, 1);
    await source.send(["anything", "at all"]);
    assertEquals(await takeTexts(subscriber), ["anything", "at all"]);
    subscriber.subscribe("any");
    await subscribed(source, 1);
    await source.send("anything");
    await source.send("else");
    assertEquals(await takeTexts(subscriber), ["else"]);
  });

  it("on a publisher alone has the Subscriber filter out the rest", async () => {
    const source = stage.cleanup.add(new Publisher({ invertMatching: true }));
    await source.bind(anywhere(transport));
    const subscriber = stage.cleanup.add(new Subscriber(RECEIVES));
    subscriber.connect(source.lastEndpoint!);
    subscriber.subscribe("a");
    await subscribed(source, 1);
    for (const text of ["a", "b"]) await source.send(text);
    source.invertMatching = false;
    await source.send("a end");
    assertEquals(await takeTexts(subscriber), ["a end"]);
  });
});
