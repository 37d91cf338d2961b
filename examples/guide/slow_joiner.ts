/**
 * The slow joiner: why a subscriber misses the first messages, and three cures.
 *
 * `connect` only begins to connect. Until the connection stands and the subscription has travelled
 * to the publisher, some milliseconds, the publisher knows of nobody and drops what it sends. That
 * is right for a broadcast, and a surprise where every message counts. Then either the publisher
 * waits for its subscribers (cures 1 and 2), or whoever comes late is told where things stand (3).
 *
 *   deno run --allow-net examples/guide/slow_joiner.ts
 *
 * or the same with `bun` or `node`. After "Missing message problem solver" of the ZeroMQ guide.
 *
 * @module
 */

import { Publisher, Reply, Request, Subscriber, XPublisher } from "../../mod.ts";
import { sleep } from "./program.ts";

const NUMBERS = 100;

/** A subscriber to everything that the address publishes. */
function join(address: string): Subscriber {
  const subscriber = new Subscriber();
  subscriber.subscribe();
  subscriber.connect(address);
  return subscriber;
}

/** Publishes the numbers from 1, and tells which of them came first. */
async function count(publisher: Publisher | XPublisher, subscriber: Subscriber): Promise<string> {
  for (let number = 1; number <= NUMBERS; number++) await publisher.send(number);
  let [first] = await subscriber.receive();
  while (first.toString() === "hello") [first] = await subscriber.receive();
  return `sent 1 to ${NUMBERS}, and the first to arrive was ${first}`;
}

async function withoutCure(): Promise<void> {
  const publisher = new Publisher();
  await publisher.bind("tcp://127.0.0.1:*");
  const subscriber = join(publisher.lastEndpoint!);
  let number = 0;
  for (; !subscriber.readable; await sleep(1)) await publisher.send(++number);
  const [first] = await subscriber.receive();
  console.log(`without a cure: sent 1 to ${number}, and the first to arrive was ${first}`);
  await Promise.all([subscriber.close(), publisher.close()]);
}

/** XPUB is a PUB that can be asked who subscribed. */
async function notification(): Promise<void> {
  const publisher = new XPublisher();
  await publisher.bind("tcp://127.0.0.1:*");
  const subscriber = join(publisher.lastEndpoint!);
  const [[kind]] = await publisher.receive(); // 1 and the topic: somebody subscribes
  if (kind !== 1) throw new Error(`Expected a subscription, got a message that begins ${kind}`);
  console.log(`1. wait for the subscription: ${await count(publisher, subscriber)}`);
  await Promise.all([subscriber.close(), publisher.close()]);
}

/** Works with a plain PUB, and tells who is there; synchronised.ts does it for many. */
async function report(): Promise<void> {
  const publisher = new Publisher();
  await publisher.bind("tcp://127.0.0.1:*");
  const reports = new Reply();
  await reports.bind("tcp://127.0.0.1:*");

  const subscriber = join(publisher.lastEndpoint!);
  const request = new Request();
  request.connect(reports.lastEndpoint!);
  // Once it has heard a hello, the subscriber will hear everything.
  const reporting = subscriber.receive().then(() => request.send("ready"));

  for (; !reports.readable; await sleep(1)) await publisher.send("hello");
  await reporting;
  console.log(`2. wait for its report: ${await count(publisher, subscriber)}`);
  await Promise.all([publisher, subscriber, reports, request].map((socket) => socket.close()));
}

/** Every newcomer gets the welcome message first, so it needs no history. */
async function welcome(): Promise<void> {
  const publisher = new XPublisher();
  await publisher.bind("tcp://127.0.0.1:*");
  for (let number = 1; number <= NUMBERS; number++) {
    await publisher.send(number); // to nobody
    publisher.welcomeMessage = String(number);
  }
  const subscriber = join(publisher.lastEndpoint!);
  const [first] = await subscriber.receive();
  console.log(`3. welcome the late: sent 1 to ${NUMBERS}, then joined and was told ${first}`);
  await Promise.all([subscriber.close(), publisher.close()]);
}

await withoutCure();
await notification();
await report();
await welcome();
