// Either end dies by a signal. A subscriber's topics come back by themselves at the publisher's
// successor, each once; a publisher forgets what a dead subscriber wanted, and says so.

import { assertEquals } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { textOf, textsOf } from "../_util/bytes.ts";
import { eventually, pause } from "../_util/deadline.ts";
import { type Peer, type PeerOptions, type PeerSocket, startPeer } from "../_util/peer.ts";
import { type Program, start } from "../_util/process.ts";
import type { PeerSocketType } from "../_util/peer.ts";
import {
  Channel,
  type End,
  isMark,
  type Octets,
  openOurs,
  OurEnd,
  requestOf,
  requestTexts,
} from "../_util/pubsub_ends.ts";
import { Opened } from "../_util/traffic.ts";

const MANY = 3_000;
const SUBSCRIBERS = ["Subscriber", "XSubscriber"] as const;
const PUBLISHERS = ["Publisher", "XPublisher"] as const;

describe("publish-subscribe, when an end is killed", () => {
  const opened = new Opened();
  const peers: Peer[] = [];
  const programs: Program[] = [];
  const openPeer = async (
    type: PeerSocketType,
    options: PeerOptions = {},
  ): Promise<[PeerSocket, Peer]> => {
    const peer = startPeer();
    peers.push(peer);
    return [await peer.open(type, options), peer];
  };
  const open = (...args: Parameters<typeof openOurs>): OurEnd =>
    new OurEnd(opened.add(openOurs(...args)));
  afterEach(async () => {
    await opened.close();
    await Promise.all(peers.splice(0).map((peer) => peer.stop()));
    await Promise.all(programs.splice(0).map((program) => program.kill()));
  });

  for (const type of SUBSCRIBERS) {
    for (const theirs of PUBLISHERS) {
      for (const binds of ["we", "they"] as const) {
        it(`SUB-05: ${type} has its topics at the successor of a killed ${theirs}, ${binds} bind`, async () => {
          const sub = open(type);
          const join = await joining(sub, binds);
          await sub.subscribe("a", "bc", "gone", "a");
          const [pub, peer] = await openPeer(theirs);
          await join(pub);
          const first = new Channel(pub, sub);
          await first.sync();
          assertTexts(await first.deliver([["a"], ["b"], ["bcd"], ["gone"]]), ["a", "bcd", "gone"]);
          await peer.kill();
          await sub.unsubscribe("gone", "a");
          await sub.subscribe("new");
          const [successor] = await openPeer(theirs);
          await join(successor);
          await firstArrival(successor, sub, "bc");
          const second = new Channel(successor, sub);
          await second.sync();
          assertTexts(
            await second.deliver([["a"], ["b"], ["bcd"], ["gone"], ["new"]]),
            ["a", "bcd", "new"],
          );
        });
      }
    }

    it(`SUB-05: ${type} sends each topic once to each successor`, async () => {
      const sub = open(type);
      await sub.subscribe("", "a", "a", "ab", "gone", Uint8Array.of(0, 255), "a");
      await sub.unsubscribe("gone", "a");
      let endpoint: string | undefined;
      for (let generation = 0; generation < 3; generation++) {
        const [pub, peer] = await openPeer("XPublisher", { verbosity: "allSubsUnsubs" });
        endpoint = await pub.bind(endpoint);
        if (generation === 0) await sub.connect(endpoint);
        const requests = await requestsBefore(pub, sub, `last ${generation}`);
        const lasts = Array.from({ length: generation }, (_, i) => requestOf(1, `last ${i}`));
        const expected = [
          ...["", "a", "ab", Uint8Array.of(0, 255)].map((topic) => requestOf(1, topic)),
          ...lasts,
        ];
        assertEquals(requests.map(String).toSorted(), expected.map(String).toSorted());
        await peer.kill();
      }
    });

    it(`SUB-05: ${type} has ${MANY} topics at each successor, with a high-water mark of 10`, async () => {
      const options = { receiveHighWaterMark: 10 };
      const sub = open(
        type,
        type === "XSubscriber" ? { ...options, sendHighWaterMark: 10 } : options,
      );
      const topics = Array.from({ length: MANY }, (_, i) => `topic ${i}.`);
      await sub.subscribe(...topics.slice(0, MANY / 2));
      let endpoint: string | undefined;
      for (let generation = 0; generation < 2; generation++) {
        const [pub, peer] = await openPeer("XPublisher");
        endpoint = await pub.bind(endpoint);
        if (generation === 0) {
          await sub.connect(endpoint);
          await sub.subscribe(...topics.slice(MANY / 2));
        }
        const last = `last ${generation}`;
        const count = MANY + 2 * generation; // and those that are made here, below
        await eventually(async () => await pub.topicsCount() === count);
        assertEquals((await requestsBefore(pub, sub, last)).length, count);
        // They are there, and not only reported.
        const channel = new Channel(pub, sub);
        await channel.sync();
        const some = [0, 1, 999, MANY / 2, MANY - 1].map((i) => `topic ${i}.`);
        assertTexts(await channel.deliver([["topic 1"], ...some.map((topic) => [topic])]), some);
        await peer.kill();
      }
    });
  }

  it("SUB gets whole messages only, and then the successor's", async () => {
    const sub = open("Subscriber", { receiveHighWaterMark: 0 });
    await sub.subscribe("");
    const endpoint = await sub.bind();
    const [pub, peer] = await openPeer("Publisher", { sendHighWaterMark: 0 });
    await pub.connect(endpoint);
    await new Channel(pub, sub).sync(true);
    const flooding = pub.sendSequence(0, 1_000_000, 50_000).catch(() => {});
    const next = async (): Promise<number> => {
      for (;;) {
        const message = await sub.receive();
        if (isMark(message)) continue;
        assertEquals([message.length, message[1].length], [2, 50_000]);
        return Number(textOf(message[0]));
      }
    };
    for (let i = 0; i < 200; i++) assertEquals(await next(), i);
    await peer.kill();
    await flooding;
    const [successor] = await openPeer("Publisher");
    await successor.connect(endpoint);
    const over = successorIsHeard(successor);
    let expected = 200;
    for (let number = await next(); number < 2_000_000; number = await next()) {
      assertEquals(number, expected++); // what was on its way
    }
    over();
  });

  for (const binds of ["we", "they"] as const) {
    it(`XPUB-05: XPUB reports that a killed subscriber's topics are gone, ${binds} bind`, async () => {
      const pub = open("XPublisher");
      const join = await joining(pub, binds);
      const [mortal, peer] = await openPeer("Subscriber");
      const [other] = await openPeer("Subscriber");
      await mortal.subscribe("a", "ab", "b", "b", Uint8Array.of(0, 255), "");
      await join(mortal);
      await other.subscribe("ab", "c");
      const asked = new Set((await requests(pub, 5)).map(String));
      await (binds === "we" ? join(other) : other.bind().then((at) => pub.connect(at)));
      assertEquals(await requests(pub, 1), ["+c"]);
      assertEquals(await pub.topicsCount(), 6);
      await peer.kill();
      // "ab" has a subscriber yet.
      assertEquals((await requests(pub, 4)).toSorted(), ["-", "-a", "-b", "-\0\uFFFD"].toSorted());
      assertEquals(await pub.topicsCount(), 2);
      assertEquals(asked.size, 5);
      const channel = new Channel(pub, other);
      await channel.sync();
      assertTexts(await channel.deliver([["a"], ["ab"], ["b"], ["c"]]), ["ab", "c"]);
    });

    it(`PUB forgets the topics of a killed subscriber, ${binds} bind`, async () => {
      const pub = open("Publisher");
      const join = await joining(pub, binds);
      for (let generation = 0; generation < 3; generation++) {
        const [sub, peer] = await openPeer("Subscriber");
        await sub.subscribe(...Array.from({ length: 500 }, (_, i) => `${generation}.${i}`));
        await join(sub);
        await eventually(async () => await pub.topicsCount() === 500);
        await peer.kill();
        await eventually(async () => await pub.topicsCount() === 0);
      }
    });
  }

  it("a subscriber that is killed in a flood does not disturb the others", async () => {
    const pub = open("Publisher", { sendHighWaterMark: 0 });
    const endpoint = await pub.bind();
    const [mortal, peer] = await openPeer("Subscriber");
    const [other] = await openPeer("Subscriber");
    for (const sub of [mortal, other]) {
      await sub.connect(endpoint);
      await sub.subscribe("n");
      await new Channel(pub, sub).sync();
    }
    await pub.startFlood("n", "o");
    const dying = mortal.receiveUntil("never").catch(() => {});
    await pause(50);
    await peer.kill();
    await dying;
    await pause(50);
    const count = await pub.stopFlood();
    await pub.send("n", "end");
    const numbers = (await other.receiveUntil("n", "end")).filter((message) => !isMark(message))
      .map(([, number]) => Number(textOf(number)));
    assertEquals(numbers, Array.from({ length: Math.ceil(count / 2) }, (_, i) => 2 * i));
  });

  it("our publisher is killed, and its successor takes the port and the subscribers", async () => {
    const [theirs] = await openPeer("Subscriber", { reconnectInterval: 20 });
    const subs: End[] = [theirs, open("Subscriber"), open("XSubscriber")];
    let endpoint = "tcp://127.0.0.1:*";
    for (const name of ["first", "second", "third"]) {
      const program = start("mortal_publisher.ts", endpoint, name);
      programs.push(program);
      await program.prints("bound to tcp");
      endpoint = program.output.trim().replace("bound to ", "");
      for (const sub of subs) {
        if (name === "first") {
          await sub.subscribe("n");
          await sub.connect(endpoint);
        }
        while (textOf((await sub.receive())[1]) !== name);
      }
      await program.kill();
    }
  });

  for (const theirs of SUBSCRIBERS) {
    it(`libzmq's ${theirs} subscribes again at the successor of ours`, async () => {
      const [sub] = await openPeer(theirs, { reconnectInterval: 20 });
      await sub.subscribe("a", "b");
      let endpoint: string | undefined;
      for (let generation = 0; generation < 3; generation++) {
        const pub = open("XPublisher", { linger: 0 });
        endpoint = await pub.bind(endpoint);
        if (generation === 0) await sub.connect(endpoint);
        assertEquals((await requests(pub, 2)).toSorted(), ["+a", "+b"]);
        const channel = new Channel(pub, sub);
        await channel.sync();
        assertTexts(await channel.deliver([["a"], ["c"], ["b"]]), ["a", "b"]);
        await pub.close();
      }
    });
  }
});

/** How others join the end: they connect to it, or it connects to the endpoint where all of them bind. */
async function joining(
  end: End,
  binds: "we" | "they",
): Promise<(other: PeerSocket) => Promise<void>> {
  if (binds === "we") {
    const endpoint = await end.bind();
    return (other) => other.connect(endpoint);
  }
  let endpoint: string | undefined;
  return async (other) => {
    const isFirst = endpoint === undefined;
    endpoint = await other.bind(endpoint);
    if (isFirst) await end.connect(endpoint);
  };
}

/** Publishes until something arrives: no new subscription is made. */
async function firstArrival(pub: End, sub: End, topic: string): Promise<void> {
  let arrived = false;
  const receiving = (async () => {
    while (isMark(await sub.receive()));
    arrived = true;
  })();
  receiving.catch(() => arrived = true); // it is awaited below
  while (!arrived) {
    await pub.send(topic, "is it there?");
    await pause(5);
  }
  await receiving;
}

/** The requests that a publisher gets before the one for a new topic. */
async function requestsBefore(pub: End, sub: End, last: Octets): Promise<Uint8Array[]> {
  const [first] = await pub.receive(); // else the topic may be among those that are sent again
  await sub.subscribe(last);
  return [first, ...(await pub.receiveUntil(requestOf(1, last))).map(([frame]) => frame)];
}

/** The next requests that are not a channel's own. */
async function requests(pub: End, count: number): Promise<string[]> {
  const texts: string[] = [];
  while (texts.length < count) {
    const [text] = requestTexts([await pub.receive()]);
    if (text[1] !== "~") texts.push(text);
  }
  return texts;
}

/** Sends numbers from 2 000 000 on, until the returned function is called. */
function successorIsHeard(successor: PeerSocket): () => void {
  let over = false;
  const send = async (): Promise<void> => {
    const filler = new Uint8Array(50_000);
    for (let i = 2_000_000; !over; i++) {
      await successor.send(String(i), filler);
      await pause(20);
    }
  };
  send().catch(() => {}); // the peer was stopped
  return () => over = true;
}

function assertTexts(messages: readonly Uint8Array[][], topics: readonly string[]): void {
  assertEquals(textsOf(messages.map(([topic]) => topic)), [...topics]);
}
