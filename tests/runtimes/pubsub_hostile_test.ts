// Subscribers and publishers that mean no good: limits hold, memory stays bounded, everybody else is served.

import { assert, assertEquals, assertLess } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { Publisher, Subscriber } from "../../mod.ts";
import { utf8 } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { eventually, pause } from "../_util/deadline.ts";
import { memory } from "../_util/memory.ts";
import { concat } from "../_util/octets.ts";
import { start } from "../_util/process.ts";
import { peers, subscribed, takeTexts } from "../_util/pubsub.ts";
import type { RawConnection } from "../_util/raw_peer.ts";
import {
  cancelCommand,
  cancelMessage,
  subscribeCommand,
  subscribeMessage,
} from "../_util/raw_subscriptions.ts";
import { command, connectAs, frame, longHeader, message, takeMessage } from "../_util/raw_zmtp.ts";

const ANY_PORT = "tcp://127.0.0.1:*";
const RECEIVES = { receiveTimeout: 10_000 } as const;
const COMMAND = 4;
const MILLION = 1_000_000;
const MB = 1_000_000;
const cleanup = new Cleanup();

let publisher: Publisher;
let healthy: Subscriber;
let count = 0;

async function openPair(): Promise<void> {
  publisher = cleanup.add(new Publisher());
  await publisher.bind(ANY_PORT);
  healthy = await join("healthy");
}

async function join(topic: string): Promise<Subscriber> {
  const before = publisher.stats().peers.length;
  const subscriber = cleanup.add(new Subscriber(RECEIVES));
  subscriber.subscribe(topic);
  subscriber.connect(publisher.lastEndpoint!);
  await eventually(() => publisher.stats().peers.length > before);
  await eventually(async () => {
    await publisher.send([topic, "hello"]);
    return subscriber.readable;
  });
  while (subscriber.readable) await subscriber.receive();
  return subscriber;
}

/** A message for the healthy subscriber, and nothing else, arrives there. */
async function exchange(): Promise<void> {
  const text = `healthy ${count++}`;
  await publisher.send("for nobody");
  await publisher.send([text, "tail"]);
  for (;;) {
    const texts = await takeTexts(healthy);
    if (texts[1] === "hello") continue; // of its own start
    assertEquals(texts, [text, "tail"]);
    return;
  }
}

/** The healthy subscriber is served until the promise settles, and after that; so is a new one. */
async function servedDuring(attack: Promise<unknown>): Promise<void> {
  let over = false;
  const settled = attack.finally(() => over = true);
  settled.catch(() => {}); // thrown below
  while (!over) {
    await exchange();
    await pause(1);
  }
  await settled;
  for (let i = 0; i < 10; i++) await exchange();
  const fresh = await join("fresh");
  await fresh.close();
}

/** A raw SUB past its handshake. */
async function insider(): Promise<RawConnection> {
  return cleanup.add(await connectAs(publisher.lastEndpoint!, "SUB"));
}

/** Sends chunks until the other side closes, or until there are no more. */
async function flood(peer: RawConnection, chunks: Iterable<Uint8Array>): Promise<void> {
  for (const chunk of chunks) {
    if (peer.isClosed) return;
    await Promise.race([peer.flush(chunk), peer.closed]);
  }
}

/** Subscriptions to so many topics, in chunks. */
function* subscriptions(
  total: number,
  encode: (topic: string) => Uint8Array = subscribeCommand,
  name = "topic",
): Generator<Uint8Array> {
  const size = 5_000;
  for (let from = 0; from < total; from += size) {
    yield concat(
      ...Array.from(
        { length: Math.min(size, total - from) },
        (_, i) => encode(`${name} ${from + i}`),
      ),
    );
  }
}

async function expectOnlyHealthy(): Promise<void> {
  await peers(publisher, 1);
  assertEquals(publisher.topicsCount, 1);
}

describe("a subscriber past its handshake", () => {
  beforeEach(openPair);
  afterEach(() => cleanup.run());

  for (
    const [form, encode] of [["commands", subscribeCommand], [
      "messages",
      subscribeMessage,
    ]] as const
  ) {
    it(`that subscribes to a million topics by ${form} is thrown out`, async () => {
      const peer = await insider();
      await servedDuring((async () => {
        await flood(peer, subscriptions(MILLION, encode));
        await peer.untilClosed();
      })());
      await expectOnlyHealthy();
    });
  }

  it("that subscribes a million times to the same stays, and costs one subscription", async () => {
    const peer = await insider();
    const chunk = concat(...Array.from({ length: 10_000 }, () => subscribeCommand("same")));
    await servedDuring(flood(peer, Array.from({ length: 100 }, () => chunk)));
    await subscribed(publisher, 2);
    assert(!peer.isClosed);
    peer.destroy();
    await expectOnlyHealthy();
  });

  it("that takes all the topics it may have gives their memory back, again and again", async () => {
    const program = cleanup.add(start("topic_churn.ts", "8", "4", "50000"));
    const history = JSON.parse((await program.succeeds(60_000)).trim()) as number[];
    // The first rounds fill the caches and the heap; the others must not add to that.
    const grown = Math.min(...history.slice(-2)) - Math.max(...history.slice(1, 4));
    assertLess(grown, 20 * MB, history.map((octets) => Math.round(octets / MB)).join(" "));
  });

  it("that takes all the topics it may have is served, and forgotten when it goes", async () => {
    for (let round = 0; round < 2; round++) {
      const peer = await insider();
      await flood(peer, subscriptions(100_000, subscribeCommand, `round ${round}, topic`));
      await eventually(() => publisher.topicsCount === 100_001, 20_000);
      await publisher.send(`round ${round}, topic 99999!`);
      assertEquals((await takeMessage(peer)).length, 1);
      await exchange();
      peer.destroy();
      await expectOnlyHealthy();
    }
  });

  it("that subscribes and unsubscribes half a million times costs nothing", async () => {
    const peer = await insider();
    const chunk = concat(
      ...Array.from({ length: 5_000 }, (_, i) => [
        subscribeCommand(`come and go ${i}`),
        cancelCommand(`come and go ${i}`),
      ]).flat(),
    );
    await flood(peer, [chunk]);
    const before = memory();
    await servedDuring(flood(peer, Array.from({ length: 100 }, () => chunk)));
    peer.send(subscribeCommand("end"));
    await subscribed(publisher, 2);
    assertLess(memory() - before, 100 * MB);
  });

  it("whose topics are each other's prefixes, thousands deep, is served and cleared away", async () => {
    const peer = await insider();
    const deep = "a".repeat(4_096);
    const sent = Array.from({ length: 4_096 }, (_, i) => subscribeCommand(deep.slice(0, i + 1)));
    await servedDuring(flood(peer, sent));
    await eventually(() => publisher.topicsCount === 4_097);
    await publisher.send(deep);
    const size = deep.length + 9;
    assertEquals((await peer.take(size)).length, size);
    await exchange();
    assertEquals(peer.available, 0, "once");
    peer.destroy();
    await expectOnlyHealthy();
  });

  const long = new Uint8Array(4 * MB).fill(0x78);
  const faults: Readonly<Record<string, Uint8Array>> = {
    "subscribes to a topic of megabytes by a command": subscribeCommand(long),
    "subscribes to a topic of megabytes by a message": subscribeMessage(long),
    "subscribes to a topic one octet too long by a command": subscribeCommand("x".repeat(4_097)),
    "subscribes to a topic one octet too long by a message": subscribeMessage("x".repeat(4_097)),
    "announces a command of 2^63 octets": longHeader(2n ** 63n, COMMAND),
    "announces a command of 2^31 octets": longHeader(2n ** 31n, COMMAND),
    "sends a command without a name": Uint8Array.of(COMMAND, 0),
    "sends a command whose name is longer than it": Uint8Array.of(COMMAND, 3, 9, 0x53, 0x55),
  };
  for (const [what, sent] of Object.entries(faults)) {
    it(`that ${what} is thrown out`, async () => {
      const peer = await insider();
      peer.send(subscribeCommand("before"));
      await subscribed(publisher, 2);
      await servedDuring((async () => {
        await Promise.race([peer.flush(sent), peer.closed]);
        await peer.untilClosed();
      })());
      await expectOnlyHealthy();
    });
  }

  it("that cancels a topic of megabytes is thrown out, or not listened to", async () => {
    for (const form of [cancelCommand, cancelMessage]) {
      const peer = await insider();
      await servedDuring(Promise.race([peer.flush(form(long)), peer.closed]));
      peer.destroy();
      await expectOnlyHealthy();
    }
  });

  it("that announces a topic of a gigabyte takes no more memory than it sends", async () => {
    const peer = await insider();
    const before = memory();
    peer.send(concat(longHeader(1_000_000_000n), Uint8Array.of(1), new Uint8Array(100_000)));
    await servedDuring(pause(50));
    assertLess(memory() - before, 150 * MB);
    peer.destroy();
    await expectOnlyHealthy();
  });

  const harmless: Readonly<Record<string, readonly Uint8Array[]>> = {
    "cancels what it never subscribed to": [
      cancelCommand("never"),
      cancelMessage("never"),
      cancelCommand(""),
      cancelCommand("healthy"),
    ],
    "cancels again and again": [
      subscribeCommand("a"),
      ...Array.from({ length: 1_000 }, () => cancelCommand("a")),
    ],
    "cancels a prefix and a continuation of what it has": [
      subscribeCommand("abc"),
      cancelCommand("ab"),
      cancelCommand("abcd"),
      cancelCommand("abc"),
    ],
    "mixes both forms": [
      subscribeCommand("a"),
      cancelMessage("a"),
      subscribeMessage("b"),
      cancelCommand("b"),
      subscribeMessage("c"),
      subscribeCommand("c"),
      cancelMessage("c"),
    ],
    "sends commands of no meaning": [
      command("SUBSCRIB", utf8("a")),
      command("SUBSCRIBED", utf8("a")),
      command("subscribe", utf8("a")),
      command("JOIN", utf8("a")),
      command("X", new Uint8Array(1_000)),
    ],
    "sends messages that a Publisher does not want": [
      message("user"),
      message(""),
      message("\x02a", "b"),
      message("user", "\x01topic", "\0healthy"),
      message(new Uint8Array(100_000).fill(2)),
    ],
  };
  for (const [what, sent] of Object.entries(harmless)) {
    it(`that ${what} does no harm and is served`, async () => {
      const peer = await insider();
      peer.send(...sent, subscribeCommand("end"));
      await subscribed(publisher, 2);
      assertEquals(publisher.topicsCount, 2);
      await servedDuring(pause(5));
      await publisher.send("end");
      assertEquals([...await peer.take(5)], [0, 3, ...utf8("end")]);
      assert(!peer.isClosed);
    });
  }

  it("that subscribes between the frames of a message is served, or thrown out", async () => {
    const peer = await insider();
    peer.send(
      concat(frame("user", true), subscribeCommand("a"), frame("b", true), frame("c")),
      concat(frame("\x01x", true), frame("\x01y", true), frame("\0x")),
      concat(frame("user", true), frame("\x01z")),
    );
    await servedDuring(pause(20));
    peer.destroy();
    await expectOnlyHealthy();
  });

  const halves: Readonly<Record<string, Uint8Array>> = {
    "within a command's header": Uint8Array.of(COMMAND),
    "within a long command's header": longHeader(300n, COMMAND).subarray(0, 5),
    "within a command's name": subscribeCommand("topic").subarray(0, 8),
    "within a command's topic": subscribeCommand("topic").subarray(0, 14),
    "within a long topic": subscribeCommand("x".repeat(3_000)).subarray(0, 2_000),
    "within a subscription message": subscribeMessage("topic").subarray(0, 4),
    "between the frames of a message": frame("\x01first", true),
  };
  for (const [where, sent] of Object.entries(halves)) {
    for (const way of ["closes", "resets"] as const) {
      it(`that ${way} ${where} leaves no topic behind`, async () => {
        const peer = await insider();
        await peer.flush(concat(subscribeCommand("whole"), sent));
        await eventually(() => publisher.topicsCount >= 2);
        if (way === "closes") peer.end();
        else peer.destroy();
        await servedDuring(way === "closes" ? peer.untilClosed() : pause(20));
        await expectOnlyHealthy();
      });
    }
  }

  it("that dribbles its commands octet by octet is served", async () => {
    const peer = await insider();
    for (
      const octet of concat(subscribeCommand("ab"), subscribeMessage("cd"), cancelCommand("ab"))
    ) {
      peer.send(Uint8Array.of(octet));
      await pause(1);
    }
    await eventually(() => publisher.topicsCount === 2);
    await publisher.send("cde");
    assertEquals([...await peer.take(5)], [0, 3, ...utf8("cde")]);
  });

  it("is not alone: fifty that flood topics at once do not keep others out", async () => {
    const attackers = await Promise.all(Array.from({ length: 50 }, insider));
    await servedDuring(Promise.all(
      attackers.map((peer, i) => flood(peer, subscriptions(4_000, subscribeCommand, `${i % 7}`))),
    ));
    await subscribed(publisher, 1 + 50 * 4_000);
    assertEquals(publisher.topicsCount, 1 + 7 * 4_000);
    await publisher.send("3 3999");
    for (const peer of attackers) peer.destroy();
    await expectOnlyHealthy();
    await exchange();
  });

  it("that floods messages nobody wants takes no memory, and does not stop the others", async () => {
    const peer = await insider();
    const junk = concat(...Array.from({ length: 100 }, () => message(new Uint8Array(10_000))));
    const before = memory();
    await servedDuring(flood(peer, Array.from({ length: 100 }, () => junk)));
    assertLess(memory() - before, 150 * MB);
  });
});
