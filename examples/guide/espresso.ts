/**
 * Espresso: tapping a publish-subscribe network.
 *
 * A proxy can hand a copy of everything that passes, either way, to a third socket. Here it is a
 * PAIR whose other end prints what it sees: messages on their way to subscribers, and on their way
 * to the publisher the subscriptions, an octet 1 (subscribe) or 0 (unsubscribe) and the topic. No
 * publisher and no subscriber knows that somebody listens. PUSH to PULL would do as well.
 *
 *   deno run --allow-net examples/guide/espresso.ts [--forever]
 *
 * or the same with `bun` or `node`. After espresso of the ZeroMQ guide.
 *
 * @module
 */

import { Pair, Proxy, Publisher, Subscriber, XPublisher, XSubscriber } from "../../mod.ts";
import { forever, sleep } from "./program.ts";

const LETTERS = "ABCDEFGHIJ";
const CUPS = 3;

/** Publishes cups of all kinds. */
async function publish(publisher: Publisher, stop: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    const letter = LETTERS[Math.floor(Math.random() * LETTERS.length)];
    await publisher.send(`${letter}-${Math.floor(Math.random() * 100_000)}`);
    await sleep(5);
  }
}

/** Takes a few cups of two kinds, and leaves. */
async function drink(name: string, address: string, topics: string): Promise<void> {
  const subscriber = new Subscriber();
  subscriber.connect(address);
  subscriber.subscribe(...topics);
  let cups = 0;
  for await (const [cup] of subscriber) {
    console.log(`${name} has ${cup}`);
    if (++cups >= CUPS && !forever) break;
  }
  await subscriber.close();
}

/** Prints what the tap gives. */
async function listen(tap: Pair): Promise<void> {
  for await (const [frame] of tap) {
    const [kind] = frame;
    const what = kind === 1 ? "subscribe" : kind === 0 ? "unsubscribe" : "message";
    console.log(`      tap: ${what} ${kind <= 1 ? frame.subarray(1) : frame}`);
  }
}

const publisher = new Publisher();
await publisher.bind("tcp://127.0.0.1:*");

const frontEnd = new XSubscriber();
frontEnd.connect(publisher.lastEndpoint!);
const backEnd = new XPublisher();
await backEnd.bind("tcp://127.0.0.1:*");
const capture = new Pair();
await capture.bind("tcp://127.0.0.1:*");
const tap = new Pair();
tap.connect(capture.lastEndpoint!);
const listening = listen(tap);

const address = backEnd.lastEndpoint!;
const proxy = new Proxy(frontEnd, backEnd, capture);
const running = proxy.run();
const stop = new AbortController();
const publishing = publish(publisher, stop.signal);
await Promise.all([drink("Ada", address, "AB"), drink("Ben", address, "BC")]);

stop.abort();
await publishing;
proxy.terminate(); // closes its front and back end
await running;
await Promise.all([publisher, capture, tap].map((socket) => socket.close()));
await listening;
