// What a proxy counts, and what its capture socket sees.

import { assertEquals } from "@std/assert";
import { afterEach, it } from "@std/testing/bdd";
import {
  Dealer,
  Pair,
  Proxy,
  Publisher,
  Pull,
  Push,
  Router,
  Subscriber,
  XPublisher,
  XSubscriber,
} from "../../mod.ts";
import { anywhere, type Transport, TRANSPORTS } from "../_util/anywhere.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { eventually, staysPending, within } from "../_util/deadline.ts";
import { boundPair, type Running, started } from "../_util/proxies.ts";
import { numbers, subscribed, takeMany, takeTexts } from "../_util/pubsub.ts";
import { describeOver } from "../_util/transports.ts";

const RECEIVES = { receiveTimeout: 5_000 } as const;
const cleanup = new Cleanup();

async function streamer(transport: Transport): Promise<Running & { push: Push; pull: Pull }> {
  const [front, back] = await boundPair(cleanup, transport, new Pull(), new Push());
  const push = cleanup.add(new Push());
  push.connect(front.lastEndpoint!);
  const pull = cleanup.add(new Pull(RECEIVES));
  pull.connect(back.lastEndpoint!);
  return { ...started(cleanup, new Proxy(front, back)), push, pull };
}

describeOver(TRANSPORTS, "the statistics of a Proxy", (transport) => {
  afterEach(() => cleanup.run());

  const none = { messagesIn: 0, bytesIn: 0, messagesOut: 0, bytesOut: 0 };

  it("count messages and their octets, in and out", async () => {
    const { proxy, push, pull } = await streamer(transport);
    assertEquals(proxy.statistics, { frontEnd: none, backEnd: none });
    const before = proxy.statistics;
    for (let i = 0; i < 10; i++) await push.send(["12345", "", "678"]);
    await push.send("");
    for (let i = 0; i < 11; i++) await pull.receive();
    assertEquals(proxy.statistics, {
      frontEnd: { ...none, messagesIn: 11, bytesIn: 80 },
      backEnd: { ...none, messagesOut: 11, bytesOut: 80 },
    });
    assertEquals(before.frontEnd.messagesIn, 0, "a picture of its moment");
  });

  it("count both directions, and stay when it is over", async () => {
    const [front, back] = await boundPair(cleanup, transport, new Pair(), new Pair());
    const { proxy, run } = started(cleanup, new Proxy(front, back));
    const [left, right] = [cleanup.add(new Pair(RECEIVES)), cleanup.add(new Pair(RECEIVES))];
    left.connect(front.lastEndpoint!);
    right.connect(back.lastEndpoint!);
    for (let i = 0; i < 3; i++) await left.send("to the right");
    for (let i = 0; i < 5; i++) await right.send("left");
    await takeMany(right, 3);
    await takeMany(left, 5);
    const expected = {
      frontEnd: { messagesIn: 3, bytesIn: 36, messagesOut: 5, bytesOut: 20 },
      backEnd: { messagesIn: 5, bytesIn: 20, messagesOut: 3, bytesOut: 36 },
    };
    assertEquals(proxy.statistics, expected);
    proxy.terminate();
    await run;
    assertEquals(proxy.statistics, expected);
  });
});

describeOver(TRANSPORTS, "the capture socket of a Proxy", (transport) => {
  afterEach(() => cleanup.run());

  it("gets every message of both directions, as it is", async () => {
    const [front, back] = await boundPair(cleanup, transport, new Router(), new Dealer());
    const capture = cleanup.add(new Push());
    await capture.bind(anywhere(transport));
    const tap = cleanup.add(new Pull(RECEIVES));
    tap.connect(capture.lastEndpoint!);
    await eventually(() => capture.writable);
    const { proxy, run } = started(cleanup, new Proxy(front, back, capture));
    const client = cleanup.add(new Dealer({ routingId: "me", ...RECEIVES }));
    client.connect(front.lastEndpoint!);
    const worker = cleanup.add(new Dealer(RECEIVES));
    worker.connect(back.lastEndpoint!);
    for (let i = 0; i < 20; i++) {
      await client.send([`question ${i}`, "x"]);
      assertEquals(await takeTexts(tap), ["me", `question ${i}`, "x"]);
      const [id] = await worker.receive();
      await worker.send([id, `answer ${i}`]);
      assertEquals(await takeTexts(tap), ["me", `answer ${i}`]);
      assertEquals(await takeTexts(client), [`answer ${i}`]);
    }
    proxy.terminate();
    await run;
  });

  it("may be a Pair that listens to a network of publishers", async () => {
    const [front, back] = await boundPair(cleanup, transport, new XSubscriber(), new XPublisher());
    const [capture, listener] = [cleanup.add(new Pair()), cleanup.add(new Pair(RECEIVES))];
    await capture.bind(anywhere(transport));
    listener.connect(capture.lastEndpoint!);
    await eventually(() => capture.writable);
    started(cleanup, new Proxy(front, back, capture));
    const subscriber = cleanup.add(new Subscriber(RECEIVES));
    subscriber.connect(back.lastEndpoint!);
    subscriber.subscribe("A");
    assertEquals(await takeTexts(listener), ["\x01A"]);
    const publisher = cleanup.add(new Publisher());
    publisher.connect(front.lastEndpoint!);
    await subscribed(publisher, 1);
    await publisher.send(["A-1", "x"]);
    assertEquals(await takeTexts(listener), ["A-1", "x"]);
    assertEquals(await takeTexts(subscriber), ["A-1", "x"]);
    await subscriber.close();
    assertEquals(await takeTexts(listener), ["\0A"]);
  });

  it("makes the proxy wait while it has no room, and loses nothing", async () => {
    const marks = { receiveHighWaterMark: 100 };
    const [front, back] = await boundPair(cleanup, transport, new Pull(marks), new Push());
    const capture = cleanup.add(new Push({ sendHighWaterMark: 5 }));
    await capture.bind(anywhere(transport));
    started(cleanup, new Proxy(front, back, capture));
    const push = cleanup.add(new Push({ sendHighWaterMark: 100 }));
    push.connect(front.lastEndpoint!);
    const pull = cleanup.add(new Pull({ ...RECEIVES, receiveHighWaterMark: 0 }));
    pull.connect(back.lastEndpoint!);
    const count = 3_000;
    const body = new Uint8Array(10_000);
    const sending = (async () => {
      for (let i = 0; i < count; i++) await push.send([String(i), body]);
    })();
    await staysPending(sending, 100, "sending while nobody listens");
    const tap = cleanup.add(new Pull({ ...RECEIVES, receiveHighWaterMark: 5 }));
    tap.connect(capture.lastEndpoint!);
    const expected = numbers(count);
    const tapped = takeMany(tap, count);
    assertEquals(await takeMany(pull, count), expected);
    assertEquals(await tapped, expected);
    await sending;
  });

  it("may be closed meanwhile: the proxy goes on without it, or ends", async () => {
    const [front, back] = await boundPair(cleanup, transport, new Pull(), new Push());
    const capture = cleanup.add(new Push({ linger: 0 }));
    await capture.bind(anywhere(transport));
    const tap = cleanup.add(new Pull(RECEIVES));
    tap.connect(capture.lastEndpoint!);
    await eventually(() => capture.writable);
    const { run } = started(cleanup, new Proxy(front, back, capture));
    const push = cleanup.add(new Push());
    push.connect(front.lastEndpoint!);
    const pull = cleanup.add(new Pull(RECEIVES));
    pull.connect(back.lastEndpoint!);
    await push.send("1");
    assertEquals([await takeTexts(tap), await takeTexts(pull)], [["1"], ["1"]]);
    await capture.close();
    await push.send("2");
    const through = takeTexts(pull).then(([text]) => assertEquals(text, "2"));
    await Promise.any([through, within(run, 4_000, "run")]);
    through.catch(() => {});
  });

  it("may be a Publisher, with or without subscribers", async () => {
    const [front, back] = await boundPair(cleanup, transport, new Pull(), new Push());
    const capture = cleanup.add(new Publisher());
    await capture.bind(anywhere(transport));
    started(cleanup, new Proxy(front, back, capture));
    const push = cleanup.add(new Push());
    push.connect(front.lastEndpoint!);
    const pull = cleanup.add(new Pull(RECEIVES));
    pull.connect(back.lastEndpoint!);
    for (const text of numbers(100)) await push.send(text);
    assertEquals(await takeMany(pull, 100), numbers(100));
    const listener = cleanup.add(new Subscriber(RECEIVES));
    listener.connect(capture.lastEndpoint!);
    listener.subscribe();
    await subscribed(capture, 1);
    await push.send(["seen", "twice"]);
    assertEquals(await takeTexts(pull), ["seen", "twice"]);
    assertEquals(await takeTexts(listener), ["seen", "twice"]);
  });
});
