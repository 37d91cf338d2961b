// A program that opens publishers, subscribers or a proxy and then has nothing more to do: does it end?
// Usage: pubsub_exit_cases.ts CASE[+CASE…] TRANSPORT FOLDER [ENDPOINT]

import { Proxy, Publisher, Pull, Push, Subscriber, XPublisher, XSubscriber } from "../../mod.ts";
import { caseName, givenEndpoint, nobody, place, say } from "./exit_places.ts";

const endpoint = givenEndpoint ?? nobody();

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

async function pair(): Promise<[Publisher, Subscriber]> {
  const publisher = new Publisher();
  await publisher.bind(place());
  const subscriber = new Subscriber();
  subscriber.connect(publisher.lastEndpoint!);
  subscriber.subscribe("");
  await until(() => publisher.topicsCount === 1);
  return [publisher, subscriber];
}

/** Nothing that these start is awaited unless they say so. */
const CASES: Readonly<Record<string, () => Promise<void> | void>> = {
  // These end at once.
  "open": () => {
    for (const type of [Publisher, Subscriber, XPublisher, XSubscriber]) new type();
  },
  "bound": async () => {
    for (const type of [Publisher, Subscriber, XPublisher, XSubscriber]) {
      await new type().bind(place());
    }
  },
  "subscribed at nobody": () => {
    const subscriber = new Subscriber();
    subscriber.connect(endpoint);
    subscriber.subscribe("a", "b");
    const extended = new XSubscriber();
    extended.connect(endpoint);
    void extended.send("\x01a");
    void extended.send("user message");
  },
  "publishing to nobody": async () => {
    const publisher = new Publisher();
    publisher.connect(endpoint);
    await publisher.bind(place());
    for (let i = 0; i < 10_000; i++) await publisher.send(String(i));
  },
  "connected": async () => {
    const [publisher, subscriber] = await pair();
    await publisher.send("x");
    say(String(await subscriber.receive()));
  },
  "with unread messages": async () => {
    const [publisher, subscriber] = await pair();
    await publisher.send("x");
    await until(() => subscriber.readable);
  },
  "with unread requests": async () => {
    const publisher = new XPublisher();
    await publisher.bind(place());
    const subscriber = new Subscriber();
    subscriber.connect(publisher.lastEndpoint!);
    subscriber.subscribe("a");
    await until(() => publisher.readable);
  },
  "with a terminated proxy": async () => {
    const [front, back] = [new Pull(), new Push()];
    await front.bind(place());
    await back.bind(place());
    const proxy = new Proxy(front, back);
    const running = proxy.run();
    proxy.terminate();
    await running;
    say("terminated");
  },

  // These go on until the test does its part.
  "with a receive pending": async () => {
    const subscriber = new Subscriber();
    subscriber.subscribe("");
    await subscriber.bind(place());
    say(`at ${subscriber.lastEndpoint}`);
    void subscriber.receive().then((frames) => say(`got ${frames}`));
  },
  "with a receive of requests pending": async () => {
    const publisher = new XPublisher();
    await publisher.bind(place());
    say(`at ${publisher.lastEndpoint}`);
    void publisher.receive().then(([request]) => say(`got ${String(request).slice(1)}`));
  },
  "with messages to deliver": async () => {
    const publisher = new Publisher({ sendHighWaterMark: 0 });
    publisher.connect(endpoint);
    await until(() => publisher.topicsCount === 1);
    const body = new Uint8Array(100_000);
    for (let i = 0; i < 200; i++) await publisher.send([String(i), body]);
    say("queued");
  },
  "with a proxy": async () => {
    const [front, back] = [new Pull(), new Push()];
    await front.bind(place());
    await back.bind(place());
    say(`at ${front.lastEndpoint} and ${back.lastEndpoint}`);
    const proxy = new Proxy(front, back);
    void proxy.run().then(() => say("over"));
    void until(() => proxy.statistics.backEnd.messagesOut > 0).then(() => proxy.terminate());
  },
};

for (const name of caseName.split("+")) await CASES[name]();
say("done");
