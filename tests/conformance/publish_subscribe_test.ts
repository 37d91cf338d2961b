// RFC 29 with sockets as users have them and the test as their peers: subscribers and publishers that do what they should
// not, those that are served meanwhile, and the golden vectors.

import { assert, assertEquals, assertLess } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Context, Publisher, Subscriber, XPublisher, XSubscriber } from "../../mod.ts";
import { toHex, utf8 } from "../_util/bytes.ts";
import {
  type AnySocket,
  type OctetPeer,
  PatternStage,
  receiveAll,
  sendAll,
  turn,
} from "../_util/pattern_stage.ts";
import { PATTERNS, readEveryWay } from "../_util/pattern_vectors.ts";
import {
  cancelCommand,
  cancelMessage,
  subscribeCommand,
  subscribeMessage,
} from "../_util/raw_subscriptions.ts";
import { command, message } from "../_util/raw_zmtp.ts";

const stage = new PatternStage();
const LONG = "x".repeat(1_000);

/** A SUB with topics. */
function subscriber(publisher: AnySocket, ...topics: string[]): OctetPeer {
  return stage.join(publisher, "SUB").send(...topics.map((topic) => subscribeCommand(topic)));
}

/** Publishes; what each peer got of it. */
async function publish(
  publisher: AnySocket,
  peers: readonly OctetPeer[],
  ...messages: (string | string[])[]
): Promise<string[][]> {
  for (const each of messages) assert(publisher.trySend(each));
  await turn();
  return peers.map((peer) => peer.texts());
}

/** The publishers, with what they call the rules that they share. */
const PUBLISHERS = [
  {
    type: Publisher,
    any: "PUB-01, PUB-03",
    unaltered: "PUB-02",
    matching: "PUB-03, PUB-04",
    full: "PUB-05, PUB-07",
    messages: "PUB-01",
    requests: "PUB-06",
  },
  {
    type: XPublisher,
    any: "XPUB-01",
    unaltered: "XPUB-02",
    matching: "XPUB-02",
    full: "XPUB-02",
    messages: "XPUB-07",
    requests: "XPUB-03, XPUB-06",
  },
];

for (const { type, any, unaltered, matching, full, messages, requests } of PUBLISHERS) {
  describe(`${type.name} among its peers`, () => {
    afterEach(() => stage.close());

    it(`${any}: serves any number of SUBs and XSUBs`, async () => {
      const publisher = await stage.bound(type);
      const types = ["SUB", "XSUB", "SUB", "XSUB", "SUB", "XSUB"];
      const peers = types.map((each, i) =>
        stage.join(publisher, each).send(subscribeCommand(i < 4 ? "" : "B"))
      );
      assertEquals(await publish(publisher, peers, "A"), types.map((_, i) => i < 4 ? ["A"] : []));
    });

    it(`${unaltered}: sends every frame as it is`, async () => {
      const publisher = await stage.bound(type);
      const peer = subscriber(publisher, "");
      const sent = [[""], ["", "x", ""], ["\x01A"], ["\x00", "\x01"], ["x".repeat(300), LONG]];
      for (const frames of sent) publisher.trySend(frames);
      await turn();
      assertEquals(toHex(peer.octets), sent.map((frames) => toHex(message(...frames))).join(""));
    });

    it(`${matching}: gives a message to those with a topic that its first frame begins with`, async () => {
      const publisher = await stage.bound(type);
      const topics = ["", "A", "AB", "ABC", "B", "\x00", "a"];
      const peers = topics.map((topic) => subscriber(publisher, topic));
      const sent = [["AB", "ABC"], [""], ["A"], ["\x00x"], ["BA", "A"], ["Ab"]];
      const expected = topics.map((topic) =>
        sent.filter(([first]) => first.startsWith(topic)).map((frames) => frames.join("|"))
      );
      assertEquals(await publish(publisher, peers, ...sent), expected);
    });

    it(`${full}: drops whole messages for one who does not read, never waits, and serves the others`, async () => {
      const publisher = await stage.bound(type, { sendHighWaterMark: 2 });
      const deaf = stage.join(publisher, "SUB", { deaf: true, says: subscribeCommand("") });
      const healthy = subscriber(publisher, "");
      for (let i = 0; i < 20; i++) {
        assertEquals(await publish(publisher, [healthy], [`${i}`, LONG, "end"]), [[
          `${i}|${LONG}|end`,
        ]]);
        // It takes a part of the first one, and no more.
        if (i === 0) deaf.listen(500);
      }
      assert(deaf.cut);
      const kept = deaf.listen().texts();
      assertEquals(kept, [0, 1, 2].map((i) => `${i}|${LONG}|end`));
      assert(!deaf.cut);
      assertEquals(await publish(publisher, [deaf, healthy], "new"), [["new"], ["new"]]);
      assertEquals(publisher.stats().dropped, 17);
    });

    it(`${messages}: ${type === Publisher ? "drops" : "hands over"} what subscribers send that asks for nothing, and serves all`, async () => {
      const publisher = await stage.bound(type);
      const [noisy, healthy] = [subscriber(publisher, "A"), subscriber(publisher, "A")];
      for (let i = 0; i < 100; i++) {
        noisy.say("hello", "there").say("").say("\x02A").say("\x31A", "B");
        noisy.say("", "x").begin("in").say("parts");
      }
      noisy.begin("never whole");
      assertEquals(await publish(publisher, [noisy, healthy], "A1", "B1"), [["A1"], ["A1"]]);
      const { peers } = publisher.stats();
      if (type === Publisher) {
        assertEquals(peers.map(({ unread }) => unread), [0, 0]);
      } else {
        assertEquals(receiveAll(publisher).slice(0, 8), [
          "\x01A",
          "hello|there",
          "",
          "\x02A",
          "1A|B",
          "|x",
          "in|parts",
          "hello|there",
        ]);
      }
    });

    it(`${requests}, PUBSUB-X-02, PUBSUB-X-03: follows requests in either form; a topic is there once, and over at once`, async () => {
      const publisher = await stage.bound(type);
      const [wild, healthy] = [stage.join(publisher, "SUB"), subscriber(publisher, "A", "C")];
      wild.send(cancelCommand("A"), cancelMessage("never"), cancelCommand(""));
      assertEquals(await publish(publisher, [wild, healthy], "A1"), [[], ["A1"]]);
      for (let i = 0; i < 50; i++) wild.send(subscribeCommand("A"), subscribeMessage("A"));
      assertEquals(await publish(publisher, [wild, healthy], "A2"), [["A2"], ["A2"]]);
      wild.send(cancelMessage("A"));
      assertEquals(await publish(publisher, [wild, healthy], "A3"), [[], ["A3"]]);
      wild.send(subscribeMessage("B"), command("JOIN", utf8("B")), cancelCommand("B"));
      assertEquals(await publish(publisher, [wild, healthy], "B1"), [[], []]);
      const { peers } = publisher.stats();
      assertEquals(peers.map(({ subscriptions }) => subscriptions), [0, 2]);
      if (type === Publisher) return assertEquals(peers.map(({ unread }) => unread), [0, 0]);
      // The end of what nobody has is told, as libzmq does; the topic that two have is not over with one of them.
      assertEquals(receiveAll(publisher), [
        "\x01A",
        "\x01C",
        "\x00never",
        "\x00",
        "\x01B",
        "\x00B",
      ]);
    });
  });
}

describe("XPublisher and its user", () => {
  afterEach(() => stage.close());

  it("XPUB-04, XPUB-05: tells the first subscription, and the end when the last one is lost, broken or not", async () => {
    const publisher = await stage.bound(XPublisher);
    const [first, second] = [subscriber(publisher, "A", "B"), subscriber(publisher, "A")];
    assertEquals(receiveAll(publisher), ["\x01A", "\x01B"]);
    first.send(Uint8Array.of(0xff, 0));
    assert(first.refused, "flags that nobody knows");
    assertEquals(receiveAll(publisher), ["\x00B"]);
    second.begin("never whole");
    second.leave();
    assertEquals(receiveAll(publisher), ["\x00A"]);
  });

  it("XPUB-08: tells more with verbosity, waits with noDrop, and welcomes whoever comes", async () => {
    for (const [verbosity, told] of [["allSubs", "+++-"], ["allSubsUnsubs", "+++---"]] as const) {
      const publisher = await stage.bound(XPublisher, { verbosity });
      const peers = [0, 1, 2].map(() => subscriber(publisher, "A"));
      for (const peer of peers) peer.send(cancelCommand("A"));
      const signs = receiveAll(publisher).map((text) => text === "\x01A" ? "+" : "-").join("");
      assertEquals(signs, told);
    }
    const publisher = await stage.bound(XPublisher, {
      noDrop: true,
      sendHighWaterMark: 2,
      welcomeMessage: "welcome",
    });
    const deaf = stage.join(publisher, "SUB", { deaf: true, says: subscribeCommand("") });
    const other = subscriber(publisher, "");
    assertEquals(other.texts(), ["welcome"]);
    const taken = sendAll(publisher, (i) => [`${i}`, LONG]);
    assertEquals(taken, 2, "the welcome is being written");
    await turn();
    assertEquals(other.texts().length, taken, "what waits is for nobody yet");
    assertEquals(deaf.listen().texts(), ["welcome", `0|${LONG}`, `1|${LONG}`]);
    assert(publisher.trySend("now"));
  });
});

/** The subscribers, with what they call the rules that they share. */
const SUBSCRIBERS = [
  { type: Subscriber, any: "SUB-01, SUB-04", unaltered: "SUB-03", full: "SUB-02", again: "SUB-05" },
  {
    type: XSubscriber,
    any: "XSUB-01, XSUB-04",
    unaltered: "XSUB-02",
    full: "XSUB-02",
    again: "SUB-05",
  },
];

/** Subscribes, however that is done. */
function subscribe(socket: AnySocket, ...topics: string[]): void {
  if (socket as unknown instanceof Subscriber) {
    (socket as unknown as Subscriber).subscribe(...topics);
  } else for (const topic of topics) socket.trySend(`\x01${topic}`);
}

for (const { type, any, unaltered, full, again } of SUBSCRIBERS) {
  describe(`${type.name} among its peers`, () => {
    afterEach(() => stage.close());

    it(`${any}: asks any number of PUBs and XPUBs for its topics, and hears all of them`, async () => {
      const socket = await stage.bound(type);
      const early = ["PUB", "XPUB"].map((each) => stage.join(socket, each));
      subscribe(socket, "A", "B");
      const late = ["PUB", "XPUB"].map((each) => stage.join(socket, each));
      await turn();
      const peers = [...early, ...late];
      for (const [i, peer] of peers.entries()) {
        assertEquals(peer.asked().sort(), ["+A", "+B"]);
        peer.say(`A${i}`);
      }
      assertEquals(receiveAll(socket), ["A0", "A1", "A2", "A3"]);
    });

    it(`${unaltered}: receives frames as they are, and ${type === Subscriber ? "only what it asked for" : "all of them"}`, async () => {
      const socket = await stage.bound(type);
      const [liar, healthy] = [stage.join(socket, "PUB"), stage.join(socket, "PUB")];
      subscribe(socket, "A");
      for (let i = 0; i < 100; i++) liar.say("B", "A").say("").say("a").begin("", "A").say("A");
      liar.say("A", "", "\x01B");
      healthy.say("AB", LONG);
      const all = receiveAll(socket);
      const wanted = all.filter((text) => text.startsWith("A"));
      assertEquals(wanted.sort(), ["AB|" + LONG, "A||\x01B"]);
      assertEquals(all.length, type === Subscriber ? 2 : 402);
      liar.send(subscribeCommand("A"), cancelCommand("A"), command("JOIN", utf8("A"))).say("A!");
      assertEquals([receiveAll(socket), liar.refused], [["A!"], false]);
    });

    it(`${again}: asks again for all of its topics, once each, on every connection`, async () => {
      const socket = stage.open(type);
      socket.connect("tcp://127.0.0.1:5555");
      subscribe(socket, "A", "B", "A");
      for (const topics of [["+A", "+B"], ["+A", "+B", "+C"]]) {
        const peer = await stage.answer("PUB");
        assertEquals(peer.asked().sort(), topics);
        peer.leave();
        subscribe(socket, "C", "C");
      }
    });

    it(`${full}: what does not fit into the queues of both ends is dropped, silently`, async () => {
      const context = new Context();
      const publisher = new Publisher({ context, sendHighWaterMark: 3, linger: 0 });
      const socket = new type({ context, receiveHighWaterMark: 2, linger: 0 });
      const end = socket as unknown as AnySocket;
      await publisher.bind("inproc://full");
      socket.connect("inproc://full");
      subscribe(end, "");
      for (let i = 0; i < 20; i++) assert(publisher.trySend(`${i}`));
      assertEquals(receiveAll(end), ["0", "1", "2", "3", "4"]);
      assertEquals(publisher.stats().dropped, 15);
      assert(publisher.trySend("new"));
      assertEquals(receiveAll(end), ["new"]);
      await Promise.all([publisher.close(), socket.close()]);
    });

    it(`${full}: a publisher that floods it is not read on, and another one is`, async () => {
      const socket = await stage.bound(type, { receiveHighWaterMark: 4 });
      subscribe(socket, "A");
      const [flood, healthy] = [stage.join(socket, "PUB"), stage.join(socket, "PUB")];
      let sent = 0;
      for (; !flood.ignored && sent < 10; sent++) flood.say("A flood");
      assertEquals(sent, 4);
      for (let i = 0; i < 3; i++) {
        healthy.say(`A ${i}`);
        assert(socket.tryReceive() && socket.tryReceive());
      }
      assertLess(socket.stats().peers[0].unread, 4);
    });
  });
}

describe("Subscriber and XSubscriber", () => {
  afterEach(() => stage.close());

  for (const type of [Subscriber, XSubscriber]) {
    it(`PUBSUB-X-01: ${type.name} asks at the first subscription, and ends it at the last`, async () => {
      const socket = await stage.bound(type);
      const peer = stage.join(socket, "PUB");
      const end = (topic: string): void => {
        if (type === Subscriber) (socket as unknown as Subscriber).unsubscribe(topic);
        else socket.trySend(`\x00${topic}`);
      };
      subscribe(socket, "A", "A", "A");
      for (let i = 0; i < 2; i++) end("A");
      await turn();
      assertEquals(peer.asked(), ["+A"]);
      for (let i = 0; i < 3; i++) end("A");
      await turn();
      assertEquals(peer.asked(), ["-A"]);
    });
  }

  it("PUBSUB-X-04: XSubscriber passes every request on when it is told to", async () => {
    const socket = await stage.bound(XSubscriber, { verbosity: "allSubsUnsubs" });
    const peer = stage.join(socket, "XPUB");
    for (const kind of ["\x01", "\x01", "\x00", "\x00"]) socket.trySend(`${kind}A`);
    await turn();
    assertEquals(peer.asked(), ["+A", "+A", "-A", "-A"]);
  });

  it("XSUB-03: sends what is no request to all publishers as it is, and drops it for one who does not read", async () => {
    const socket = await stage.bound(XSubscriber, { sendHighWaterMark: 2 });
    const deaf = stage.join(socket, "XPUB", { deaf: true });
    const healthy = stage.join(socket, "PUB");
    for (let i = 0; i < 10; i++) {
      assert(socket.trySend([`${i}`, "", LONG]));
      await turn();
      assertEquals(healthy.texts(), [`${i}||${LONG}`]);
    }
    assertEquals(deaf.listen().texts(), [0, 1, 2].map((i) => `${i}||${LONG}`));
    assertEquals(socket.stats().dropped, 7);
  });

  it("SUB-01, PUB-01: one cannot send, the other cannot receive", () => {
    const [publisher, subscriber] = [stage.open(Publisher), stage.open(Subscriber)];
    assertEquals([publisher.tryReceive, subscriber.trySend], [undefined, undefined]);
  });

  it("ends its subscriptions at a publisher by leaving it: that needs no other word", async () => {
    const context = new Context();
    const publisher = new XPublisher({ context });
    const socket = new XSubscriber({ context });
    await publisher.bind("inproc://left");
    socket.connect("inproc://left");
    subscribe(socket as unknown as AnySocket, "A", "B");
    assertEquals(receiveAll(publisher as unknown as AnySocket), ["\x01A", "\x01B"]);
    socket.disconnect("inproc://left");
    await turn();
    assertEquals(receiveAll(publisher as unknown as AnySocket).sort(), ["\x00A", "\x00B"]);
    await Promise.all([publisher.close(), socket.close()]);
  });
});

describe("the vectors of publish-subscribe", () => {
  afterEach(() => stage.close());

  for (const vector of PATTERNS.filter(({ from }) => from === "PUB" || from === "SUB")) {
    const { id, meaning, octets, from, to } = vector;
    it(`${id} is read whole, cut anywhere, and with a tail: ${meaning}`, async () => {
      await readEveryWay(vector, async () => {
        const socket = await stage.bound(to === "SUB" ? Subscriber : XPublisher);
        if (to === "SUB") subscribe(socket, "A");
        return [socket, stage.join(socket, from)];
      });
    });

    if (from !== "SUB") continue;
    it(`${id} is what is sent: ${meaning}`, async () => {
      const socket = await stage.bound(Subscriber);
      const peer = stage.join(socket, "PUB");
      subscribe(socket, "abc");
      (socket as unknown as Subscriber).unsubscribe("abc");
      await turn();
      assert(toHex(peer.octets).includes(toHex(octets)));
    });
  }
});
