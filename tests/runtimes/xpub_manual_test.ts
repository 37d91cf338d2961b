// XPUB in manual mode: the application decides what each subscriber is subscribed to.

import { assertEquals } from "@std/assert";
import { afterEach, it } from "@std/testing/bdd";
import { Publisher, Subscriber, XPublisher, XSubscriber } from "../../mod.ts";
import { anywhere, type Transport, TRANSPORTS } from "../_util/anywhere.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { pause } from "../_util/deadline.ts";
import { peers, subscribed, takeMany, takeTexts, takeUntil } from "../_util/pubsub.ts";
import { failure, rejection } from "../_util/rejection.ts";
import { joinAsSubscriber } from "../_util/scripted_subscriber.ts";
import { describeOver } from "../_util/transports.ts";

const RECEIVES = { receiveTimeout: 5_000 } as const;
const cleanup = new Cleanup();

const MODES = { manual: { manual: true }, manualLastValue: { manualLastValue: true } } as const;

async function open(transport: Transport, options: object): Promise<XPublisher> {
  const publisher = cleanup.add(new XPublisher({ ...RECEIVES, ...options }));
  await publisher.bind(anywhere(transport));
  return publisher;
}

function join(publisher: XPublisher): XSubscriber {
  const subscriber = cleanup.add(new XSubscriber(RECEIVES));
  subscriber.connect(publisher.lastEndpoint!);
  return subscriber;
}

function joinPlain(publisher: XPublisher, topic: string): Subscriber {
  const subscriber = cleanup.add(new Subscriber(RECEIVES));
  subscriber.connect(publisher.lastEndpoint!);
  subscriber.subscribe(topic);
  return subscriber;
}

for (const [mode, options] of Object.entries(MODES)) {
  describeOver(TRANSPORTS, `an XPublisher with ${mode}`, (transport) => {
    afterEach(() => cleanup.run());

    it("subscribes its peer to what it likes", async () => {
      const publisher = await open(transport, options);
      const subscriber = join(publisher);
      await subscriber.send("\x01A");
      assertEquals(await takeTexts(publisher), ["\x01A"]);
      assertEquals(publisher.topicsCount, 0);
      publisher.subscribe("B");
      assertEquals([publisher.topicsCount, publisher.stats().peers[0].subscriptions], [1, 1]);
      for (const text of ["A", "B"]) await publisher.send(text);
      assertEquals(await takeTexts(subscriber), ["B"]);
    });

    it("unsubscribes its peer from what it likes, and is told when it is gone", async () => {
      const publisher = await open(transport, options);
      const subscriber = join(publisher);
      await subscriber.send("\x01A");
      await subscriber.send("\x01B");
      assertEquals(await takeTexts(publisher), ["\x01A"]);
      publisher.subscribe("XA");
      assertEquals(await takeTexts(publisher), ["\x01B"]);
      publisher.subscribe("XB");
      await subscriber.send("\0A");
      assertEquals(await takeTexts(publisher), ["\0A"]);
      publisher.unsubscribe("XA");
      for (const text of ["XA", "XB"]) await publisher.send(text);
      assertEquals(await takeTexts(subscriber), ["XB"]);
      await subscriber.close();
      assertEquals(await takeTexts(publisher), ["\0B"]);
      publisher.unsubscribe("XB");
      assertEquals(publisher.topicsCount, 0);
    });

    it("cleans up after a peer that is gone, and does not subscribe it again", async () => {
      const publisher = await open(transport, options);
      const first = join(publisher);
      await first.send("\x01A");
      assertEquals(await takeTexts(publisher), ["\x01A"]);
      publisher.subscribe("XA");
      for (const text of ["XA", "XB"]) await publisher.send(text);
      assertEquals(await takeTexts(first), ["XA"]);
      await first.close();
      assertEquals(await takeTexts(publisher), ["\0A"]);
      publisher.unsubscribe("XA"); // there is no peer that this is about
      publisher.subscribe("XA");
      assertEquals(publisher.topicsCount, 0);
      const second = join(publisher);
      await second.send("\x01B");
      assertEquals(await takeTexts(publisher), ["\x01B"]);
      publisher.subscribe("XB");
      for (const text of ["XA", "XB"]) await publisher.send(text);
      assertEquals(await takeUntil(second, "XB"), []);
    });

    it("is about the peer whose request was received last, not the one that came last", async () => {
      const publisher = await open(transport, options);
      const [first, second] = [join(publisher), join(publisher)];
      await first.send("\x01A");
      assertEquals(await takeTexts(publisher), ["\x01A"]);
      await second.send("\x01B");
      while (!publisher.readable) await pause(1);
      publisher.subscribe("for the first");
      assertEquals(await takeTexts(publisher), ["\x01B"]);
      publisher.subscribe("for the second");
      await publisher.send("for the second");
      await publisher.send("for the first");
      assertEquals(await takeTexts(first), ["for the first"]);
      assertEquals(await takeTexts(second), ["for the second"]);
    });

    it("takes several topics at once, text and octets, and everything", async () => {
      const publisher = await open(transport, options);
      const subscriber = join(publisher);
      await subscriber.send("\x01?");
      await publisher.receive();
      publisher.subscribe("a", Uint8Array.of(0xff), "b");
      assertEquals(publisher.topicsCount, 3);
      publisher.unsubscribe("a", "b");
      assertEquals(publisher.topicsCount, 1);
      publisher.subscribe();
      await publisher.send("anything");
      assertEquals(await takeTexts(subscriber), ["anything"]);
    });

    it("reports every request, also what a peer asks for again", async () => {
      const publisher = await open(transport, options);
      const [first, second] = [join(publisher), join(publisher)];
      for (const socket of [first, second]) {
        await socket.send("\x01A");
        assertEquals(await takeTexts(publisher), ["\x01A"]);
        publisher.subscribe("A");
      }
      for (const socket of [first, second]) {
        await socket.send("\0A");
        assertEquals(await takeTexts(publisher), ["\0A"]);
        publisher.unsubscribe("A");
      }
      assertEquals(publisher.topicsCount, 0);
    });

    it("drops a request whose peer is gone before it was received, and its subscribe", async () => {
      const publisher = await open(transport, options);
      const peer = cleanup.add(await joinAsSubscriber(publisher.lastEndpoint!));
      peer.ask("+A");
      while (!publisher.readable) await pause(1);
      peer.leave();
      await peers(publisher, 0);
      // The request may still be read; subscribing its peer then does nothing.
      publisher.receiveTimeout = 100;
      for (let i = 0; i < 2; i++) {
        await publisher.receive().then(() => publisher.subscribe("A"), () => {});
      }
      assertEquals(publisher.topicsCount, 0);
    });

    it("relays for a device, and its subscribers get messages of their topics", async () => {
      const back = await open(transport, options);
      const front = cleanup.add(new XSubscriber({ ...RECEIVES, verbosity: "allSubsUnsubs" }));
      await front.bind(anywhere(transport));
      const source = cleanup.add(new Publisher());
      source.connect(front.lastEndpoint!);
      const subscribers = [];
      for (const topic of ["1", "2"]) {
        subscribers.push(joinPlain(back, topic));
        const request = await back.receive();
        assertEquals(String(request[0]), `\x01${topic}`);
        back.subscribe(topic);
        await front.send(request);
        await subscribed(source, Number(topic));
        // In last-value mode the first message after a request is for that subscriber alone.
        await back.send([topic, "hello"]);
        assertEquals(await takeTexts(subscribers.at(-1)!), [topic, "hello"]);
      }
      for (const topic of ["1", "2"]) await source.send([topic, "X"]);
      for (let i = 0; i < 2; i++) await back.send(await front.receive());
      assertEquals(await takeTexts(subscribers[1]), ["2", "X"]);
      assertEquals(await takeTexts(subscribers[0]), ["1", "X"]);
      for (const subscriber of subscribers) {
        await subscriber.close();
        const request = await back.receive();
        back.unsubscribe(String(request[0]).slice(1));
        await front.send(request);
      }
      await subscribed(source, 0);
      assertEquals([source.topicsCount, back.topicsCount, front.topicsCount], [0, 0, 0]);
      await source.send(["1", "X"]);
      front.receiveTimeout = 20;
      await rejection(front.receive(), "EAGAIN");
    });

    it("gets two ends when both subscribers of a topic go", async () => {
      const publisher = await open(transport, options);
      const subscribers = [];
      for (let i = 0; i < 2; i++) {
        subscribers.push(joinPlain(publisher, "1"));
        assertEquals(await takeTexts(publisher), ["\x011"]);
        publisher.subscribe("1");
      }
      for (const subscriber of subscribers) await subscriber.close();
      assertEquals(await takeMany(publisher, 2), ["\x001", "\x001"]);
      assertEquals(publisher.topicsCount, 0);
    });

    it("hands user messages through", async () => {
      const publisher = await open(transport, options);
      const subscriber = join(publisher);
      await subscriber.send("\x01A");
      await subscriber.send(["user", "message"]);
      assertEquals(await takeTexts(publisher), ["\x01A"]);
      assertEquals(await takeTexts(publisher), ["user", "message"]);
      publisher.subscribe("A");
      await publisher.send("A");
      assertEquals(await takeTexts(subscriber), ["A"]);
    });
  });
}

describeOver(TRANSPORTS, "an XPublisher with manualLastValue", (transport) => {
  afterEach(() => cleanup.run());

  it("sends the first message after a subscription to that subscriber alone", async () => {
    const publisher = await open(transport, { manualLastValue: true });
    const subscribers: Subscriber[] = [];
    for (let i = 0; i < 4; i++) {
      subscribers.push(joinPlain(publisher, "topic"));
      await publisher.receive();
      publisher.subscribe("topic");
      await publisher.send(["topic", `last value for ${i}`]);
      await publisher.send(["topic", `news ${i}`]);
    }
    for (const [i, subscriber] of subscribers.entries()) {
      assertEquals(await takeTexts(subscriber), ["topic", `last value for ${i}`]);
      for (let news = i; news < 4; news++) {
        assertEquals(await takeTexts(subscriber), ["topic", `news ${news}`]);
      }
    }
  });

  it("sends it to nobody if that subscriber does not want it", async () => {
    const publisher = await open(transport, { manualLastValue: true });
    const first = joinPlain(publisher, "a");
    await publisher.receive();
    publisher.subscribe("a");
    await publisher.send("a1");
    const second = joinPlain(publisher, "b");
    await publisher.receive();
    publisher.subscribe("b");
    await publisher.send("a2");
    await publisher.send("a3");
    await publisher.send("b3");
    assertEquals([await takeMany(first, 2), await takeMany(second, 1)], [["a1", "a3"], ["b3"]]);
  });

  it("sends to everybody else as ever", async () => {
    const publisher = await open(transport, { manualLastValue: true });
    const subscribers: Subscriber[] = [];
    for (let i = 0; i < 3; i++) {
      subscribers.push(joinPlain(publisher, ""));
      await publisher.receive();
      publisher.subscribe("");
      await publisher.send("welcome");
    }
    for (let i = 0; i < 10; i++) await publisher.send(String(i));
    for (const subscriber of subscribers) {
      assertEquals(await takeMany(subscriber, 11), [
        "welcome",
        ...Array.from({ length: 10 }, (_, i) => String(i)),
      ]);
    }
  });
});

describeOver(TRANSPORTS, "subscribe on an XPublisher", (transport) => {
  afterEach(() => cleanup.run());

  it("does nothing before a request was received", async () => {
    const publisher = await open(transport, { manual: true });
    publisher.subscribe("a");
    publisher.unsubscribe("a");
    const subscriber = joinPlain(publisher, "a");
    await peers(publisher, 1);
    publisher.subscribe("a");
    assertEquals(publisher.topicsCount, 0);
    assertEquals(await takeTexts(publisher), ["\x01a"]);
    publisher.subscribe("a");
    await publisher.send("a");
    assertEquals(await takeTexts(subscriber), ["a"]);
  });

  it("refuses what is no topic", async () => {
    const publisher = await open(transport, { manual: true });
    joinPlain(publisher, "a");
    await publisher.receive();
    for (const topic of [5, null, {}, undefined]) {
      failure(() => publisher.subscribe(topic as unknown as string), "EINVAL");
      failure(() => publisher.unsubscribe(topic as unknown as string), "EINVAL");
    }
    assertEquals(publisher.topicsCount, 0);
  });

  it("is an error without manual mode", async () => {
    const publisher = await open(transport, {});
    joinPlain(publisher, "a");
    await publisher.receive();
    failure(() => publisher.subscribe("b"), "EINVAL");
    failure(() => publisher.unsubscribe("a"), "EINVAL");
    assertEquals(publisher.topicsCount, 1);
  });
});
