// PUB: it sends to whoever subscribed, waits for nobody, and forgets who is gone.

import { assertEquals } from "@std/assert";
import { afterEach, beforeEach, it } from "@std/testing/bdd";
import { Publisher, Subscriber, XPublisher } from "../../mod.ts";
import { anywhere, SYSTEM_TRANSPORTS, type Transport, TRANSPORTS } from "../_util/anywhere.ts";
import { assertFrames } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { eventually } from "../_util/deadline.ts";
import {
  expectOnly,
  numbers,
  peers,
  subscribed,
  subscriptionsOf,
  takeMany,
  takeTexts,
} from "../_util/pubsub.ts";
import { subscribeCommand } from "../_util/raw_subscriptions.ts";
import { connectAs, takeMessage } from "../_util/raw_zmtp.ts";
import { describeOver, nowhere } from "../_util/transports.ts";

const RECEIVES = { receiveTimeout: 5_000 } as const;
/** Every subscriber here has this topic too: what comes before its message is all that came. */
const MARK = "~";
const cleanup = new Cleanup();

let publisher: Publisher;
let subscriber: Subscriber;

async function openPair(transport: Transport): Promise<void> {
  publisher = cleanup.add(new Publisher());
  await publisher.bind(anywhere(transport));
  subscriber = connected();
  subscriber.subscribe(MARK);
  await subscribed(publisher, 1);
}

function connected(): Subscriber {
  const fresh = cleanup.add(new Subscriber(RECEIVES));
  fresh.connect(publisher.lastEndpoint!);
  return fresh;
}

function expects(sent: readonly string[], expected: readonly string[]): Promise<void> {
  return expectOnly(publisher, subscriber, MARK, sent, expected);
}

describeOver(TRANSPORTS, "a Publisher", (transport) => {
  beforeEach(() => openPair(transport));
  afterEach(() => cleanup.run());

  it("sends to nobody without waiting", async () => {
    const lonely = cleanup.add(new Publisher({ sendTimeout: 0 }));
    await lonely.send("x");
    await lonely.bind(anywhere(transport));
    await lonely.send(["x", "y"]);
    lonely.connect(nowhere(transport));
    for (let i = 0; i < 5_000; i++) await lonely.send(String(i));
    assertEquals(lonely.stats().dropped, 0, "nobody was to get them");
  });

  it("sends to each subscriber what it wants", async () => {
    const others = ["a", "ab", "b", ""].map((topic) => {
      const other = connected();
      other.subscribe(topic, MARK);
      return other;
    });
    await subscribed(publisher, 9);
    const sent = ["a", "ab", "abc", "b", "c"];
    for (const text of [...sent, MARK]) await publisher.send(text);
    const expected = [["a", "ab", "abc"], ["ab", "abc"], ["b"], sent];
    for (const [i, other] of others.entries()) {
      assertEquals(await takeMany(other, expected[i].length + 1), [...expected[i], MARK]);
    }
  });

  it("knows nothing any more of a subscriber that is gone", async () => {
    const other = connected();
    other.subscribe("a", "b", MARK);
    await subscribed(publisher, 4);
    assertEquals([publisher.topicsCount, publisher.stats().peers.length], [3, 2]);
    await other.close();
    await peers(publisher, 1);
    assertEquals([publisher.topicsCount, subscriptionsOf(publisher)], [1, 1]);
    await expects(["a"], []);
  });

  it("serves peers that disconnect, and those that are disconnected", async () => {
    subscriber.disconnect(publisher.lastEndpoint!);
    await peers(publisher, 0);
    assertEquals(publisher.topicsCount, 0);
    subscriber.connect(publisher.lastEndpoint!);
    await subscribed(publisher, 1);
    await expects(["a"], []);
    await publisher.unbind(publisher.lastEndpoint!);
    await eventually(() => publisher.topicsCount === 0);
  });

  it("sends what it has accepted before it is closed", async () => {
    subscriber.subscribe("");
    await subscribed(publisher, 2);
    for (const i of numbers(500)) void publisher.send(i);
    await publisher.close();
    assertEquals(await takeMany(subscriber, 500), numbers(500));
  });

  it("shares its Subscriber with an XPublisher", async () => {
    const extended = cleanup.add(new XPublisher());
    await extended.bind(anywhere(transport));
    subscriber.connect(extended.lastEndpoint!);
    await subscribed(extended, 1);
    await extended.send(MARK);
    await publisher.send(MARK);
    assertEquals(await takeMany(subscriber, 2), [MARK, MARK]);
  });

  it("sends messages of thousands of frames", async () => {
    subscriber.subscribe("0");
    await subscribed(publisher, 2);
    for (const count of [1, 2, 255, 5_000, 20_000, 3]) {
      await publisher.send(numbers(count));
      assertEquals(await takeTexts(subscriber), numbers(count));
    }
  });

  it("finds its subscribers when both only route to connections that stand", async () => {
    const options = { immediate: true, reconnectInterval: 5 };
    const eager = cleanup.add(new Subscriber({ ...RECEIVES, ...options }));
    eager.subscribe("a");
    eager.connect(publisher.lastEndpoint!);
    await subscribed(publisher, 2);
    const active = cleanup.add(new Publisher(options));
    await eager.bind(anywhere(transport));
    active.connect(eager.lastEndpoint!);
    await subscribed(active, 1);
    await publisher.send("a1");
    await active.send("a2");
    assertEquals((await takeMany(eager, 2)).sort(), ["a1", "a2"]);
  });

  it("may be bound and connected, at several endpoints", async () => {
    const others = [1, 2].map(() => cleanup.add(new Subscriber(RECEIVES)));
    for (const other of others) other.subscribe("a");
    await publisher.bind(anywhere(transport));
    others[0].connect(publisher.lastEndpoint!);
    await others[1].bind(anywhere(transport));
    publisher.connect(others[1].lastEndpoint!);
    await subscribed(publisher, 3);
    await publisher.send("a");
    for (const other of others) assertEquals(await takeTexts(other), ["a"]);
    publisher.disconnect(others[1].lastEndpoint!);
    await subscribed(publisher, 2);
  });
});

describeOver(SYSTEM_TRANSPORTS, "on the wire, a Publisher", (transport) => {
  beforeEach(() => openPair(transport));
  afterEach(() => cleanup.run());

  it("serves peers of ZMTP 3.1 that are not of this library", async () => {
    const raw = cleanup.add(await connectAs(publisher.lastEndpoint!, "SUB"));
    raw.send(subscribeCommand("a"));
    await subscribed(publisher, 2);
    await publisher.send(["a", "raw"]);
    assertFrames(await takeMessage(raw), ["a", "raw"]);
  });

  it("refuses peers that are no subscribers", async () => {
    for (const type of ["PUB", "PUSH", "XPUB", "DEALER"]) {
      const stranger = cleanup.add(await connectAs(publisher.lastEndpoint!, type));
      await stranger.untilClosed();
    }
    await expects(["a"], []);
  });
});
