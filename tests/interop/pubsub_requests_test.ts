// How subscriptions are counted at both ends, and what goes upstream from XSUB.

import { assertEquals, assertNotEquals } from "@std/assert";
import { after, afterEach, before, describe, it } from "@std/testing/bdd";
import { assertFrames, textOf, textsOf } from "../_util/bytes.ts";
import { eventually, pause } from "../_util/deadline.ts";
import { type Peer, type PeerOptions, type PeerSocket, startPeer } from "../_util/peer.ts";
import type { PeerSocketType } from "../_util/peer.ts";
import { Channel, openOurs, OurEnd, requestOf, requestTexts } from "../_util/pubsub_ends.ts";
import { Opened } from "../_util/traffic.ts";

const ALL = { verbosity: "allSubsUnsubs" } as const;

describe("requests and upstream messages, with libzmq", () => {
  const opened = new Opened();
  let peer: Peer;
  const theirs: PeerSocket[] = [];
  const openTheirs = async (
    type: PeerSocketType,
    options: PeerOptions = {},
  ): Promise<PeerSocket> => {
    const socket = await peer.open(type, options);
    theirs.push(socket);
    return socket;
  };
  const open = (...args: Parameters<typeof openOurs>): OurEnd =>
    new OurEnd(opened.add(openOurs(...args)));
  before(() => {
    peer = startPeer();
  });
  after(() => peer.stop());
  afterEach(async () => {
    await opened.close();
    await Promise.all(theirs.splice(0).map((socket) => socket.close()));
  });

  for (const type of ["Subscriber", "XSubscriber"] as const) {
    it(`PUBSUB-X-01: ${type} asks at the first subscription and cancels at the last`, async () => {
      const pub = await openTheirs("XPublisher", ALL);
      const sub = open(type);
      await sub.connect(await pub.bind());
      await sub.subscribe("m0");
      assertEquals(await requests(pub, 1), ["+m0"]);
      await sub.subscribe("x", "x", "m1");
      assertEquals(await requests(pub, 2), ["+x", "+m1"]);
      await sub.unsubscribe("x", "m1");
      assertEquals(await requests(pub, 1), ["-m1"]);
      assertEquals(await sub.topicsCount(), 2);
      await sub.subscribe("x");
      await sub.unsubscribe("x", "x", "m0");
      assertEquals(await requests(pub, 2), ["-x", "-m0"]);
      assertEquals(await sub.topicsCount(), 0);
      // What is not subscribed is not cancelled either.
      await sub.unsubscribe("x", "never");
      await sub.subscribe("m2");
      assertEquals(await requests(pub, 1), ["+m2"]);
    });

    it(`PUBSUB-X-02: a publisher keeps one subscription to a topic of libzmq's ${type}`, async () => {
      const pub = open("XPublisher", ALL);
      const sub = await openTheirs(type);
      await sub.connect(await pub.bind());
      await sub.subscribe("m0");
      assertEquals(await requests(pub, 1), ["+m0"]);
      // libzmq asks each time, and cancels once.
      await sub.subscribe("x", "x", "x");
      assertEquals(await requests(pub, 3), ["+x", "+x", "+x"]);
      assertEquals(await pub.topicsCount(), 2);
      const channel = new Channel(pub, sub);
      await channel.sync();
      assertEquals((await channel.deliver([["x"], ["y"]])).flatMap(textsOf), ["x"]);
      await sub.unsubscribe("x", "x");
      await channel.sync();
      assertEquals((await channel.deliver([["x"]])).flatMap(textsOf), ["x"]);
      await sub.unsubscribe("x");
      await eventually(async () => await pub.topicsCount() === 3); // m0 and the channel's two
      await channel.sync();
      assertEquals(await channel.deliver([["x"]]), []);
    });
  }

  it("SUB receives nothing of a topic once unsubscribe has returned", async () => {
    const pub = await openTheirs("Publisher");
    const sub = open("Subscriber");
    await sub.connect(await pub.bind());
    await sub.subscribe("a", "b");
    await new Channel(pub, sub).sync();
    await pub.startFlood("a", "b");
    for (let i = 0; i < 20; i++) {
      while (textOf((await sub.receive())[0]) !== "a");
      await pause(5); // some wait to be received, "a" among them
      await sub.unsubscribe("a");
      for (let n = 0; n < 10; n++) assertNotEquals(textOf((await sub.receive())[0]), "a");
      await sub.subscribe("a");
    }
    await pub.stopFlood();
  });

  it("PUBSUB-X-03: a publisher does not mind the end of what nobody had", async () => {
    for (const type of ["Publisher", "XPublisher"] as const) {
      const pub = open(type);
      const sub = await openTheirs("XSubscriber", { verboseUnsubscribe: true });
      await sub.connect(await pub.bind());
      await sub.subscribe("had", "kept");
      await sub.unsubscribe("never had", "had", "had", "had", "");
      const channel = new Channel(pub, sub);
      await channel.sync();
      assertEquals((await channel.deliver([["had"], ["kept"]])).flatMap(textsOf), ["kept"]);
      if (type === "XPublisher") {
        assertEquals(
          (await requests(pub, 7)).filter((text) => text !== "-"),
          ["+had", "+kept", "-never had", "-had", "-had", "-had"],
        );
      }
    }
  });

  for (
    const [verbosity, expected] of [
      ["allSubs", ["+x", "+x", "-x"]],
      ["allSubsUnsubs", ["+x", "+x", "-x", "-x"]],
    ] as const
  ) {
    it(`PUBSUB-X-04: XSUB passes on ${expected} with verbosity ${verbosity}`, async () => {
      const pub = await openTheirs("XPublisher", ALL);
      const sub = open("XSubscriber", { verbosity });
      await sub.connect(await pub.bind());
      await sub.subscribe("m0");
      assertEquals(await requests(pub, 1), ["+m0"]);
      await sub.subscribe("x", "x");
      await sub.unsubscribe("x", "x");
      await sub.subscribe("m1");
      assertEquals(await requests(pub, expected.length + 1), [...expected, "+m1"]);
    });
  }

  it("XSUB-03: sends a user's message to all its publishers", async () => {
    const pubs = [await openTheirs("XPublisher"), await openTheirs("XPublisher")];
    const sub = open("XSubscriber");
    await pubs[0].connect(await sub.bind());
    await sub.connect(await pubs[1].bind());
    await sub.subscribe("x");
    for (const pub of pubs) assertEquals(await requests(pub, 1), ["+x"]);
    const long = new Uint8Array(100_000).fill(7);
    for (const message of [["up"], [""], ["a", "", long], [Uint8Array.of(2)]]) {
      await sub.send(...message);
      for (const pub of pubs) assertFrames(await pub.receive(), message);
    }
    await sub.unsubscribe("x");
    for (const pub of pubs) assertEquals(await requests(pub, 1), ["-x"]);
  });

  it("XSUB-03: sends to those that have room, without waiting", async () => {
    const good = await openTheirs("XPublisher");
    const sub = open("XSubscriber", { sendHighWaterMark: 10, sendTimeout: 0 });
    await sub.connect(await good.bind());
    await sub.connect("tcp://127.0.0.1:1"); // where nobody answers
    await sub.subscribe("x");
    assertEquals(await requests(good, 1), ["+x"]);
    for (let i = 0; i < 200; i++) {
      await sub.send(`up ${i}`);
      assertFrames(await good.receive(), [`up ${i}`]);
    }
  });

  it("PUB-01: drops what subscribers send, and goes on", async () => {
    const pub = open("Publisher");
    // libzmq drops a subscription that finds the mark reached.
    const sub = await openTheirs("XSubscriber", { sendHighWaterMark: 0 });
    await sub.connect(await pub.bind());
    await sub.sendSequence(0, 2_000, 1_000);
    await sub.send("several", "frames", "");
    await sub.subscribe("x");
    const channel = new Channel(pub, sub);
    await channel.sync();
    assertEquals((await channel.deliver([["x"], ["up"]])).flatMap(textsOf), ["x"]);

    const theirPub = await openTheirs("Publisher");
    const ours = open("XSubscriber");
    await ours.connect(await theirPub.bind());
    for (let i = 0; i < 100; i++) await ours.send("up");
    await ours.subscribe("x");
    const other = new Channel(theirPub, ours);
    await other.sync();
    assertEquals((await other.deliver([["x"], ["up"]])).flatMap(textsOf), ["x"]);
  });

  it("XSUB-02: XSUB filters nothing itself", async () => {
    // With this option a publisher sends what was not asked for.
    const pub = await openTheirs("XPublisher", { invertMatching: true });
    const sub = open("XSubscriber");
    await sub.connect(await pub.bind());
    await sub.subscribe("x");
    assertFrames(await pub.receive(), [requestOf(1, "x")]);
    await pub.sendEach([["x"], ["y"], [""], ["xy"], ["end"]]);
    assertEquals((await sub.receiveUntil("end")).flatMap(textsOf), ["y", ""]);
  });

  for (const type of ["Subscriber", "XSubscriber"] as const) {
    it(`${type} has several publishers, and each gets its requests`, async () => {
      const sub = open(type);
      await sub.subscribe("all");
      const pubs = [];
      for (let i = 0; i < 4; i++) {
        const pub = await openTheirs(i % 2 === 0 ? "XPublisher" : "Publisher");
        if (i < 2) await sub.connect(await pub.bind());
        else await pub.connect(await sub.bind());
        pubs.push(pub);
        await new Channel(pub, sub).sync();
      }
      await sub.subscribe("more");
      for (const [i, pub] of pubs.entries()) {
        const channel = new Channel(pub, sub);
        await channel.sync();
        const messages = [["all", `${i}`], ["more", `${i}`], ["other", `${i}`]];
        assertEquals((await channel.deliver(messages)).map(textsOf), messages.slice(0, 2));
      }
      for (const pub of pubs) await pub.sendEach(Array.from({ length: 100 }, () => ["all"]));
      for (const pub of pubs) await pub.send("more", "last");
      let lasts = 0;
      let count = 0;
      while (lasts < pubs.length) {
        if ((await sub.receive()).length === 2) lasts++;
        else count++;
      }
      assertEquals(count, 400);
    });
  }
});

/** The next requests that are not a channel's own. */
async function requests(pub: PeerSocket | OurEnd, count: number): Promise<string[]> {
  const texts: string[] = [];
  while (texts.length < count) {
    const [text] = requestTexts([await pub.receive()]);
    if (text[1] !== "~") texts.push(text);
  }
  return texts;
}
