/**
 * The pathological case for a publisher: a thousand topics, and a subscriber that wants one of
 * them.
 *
 * The publisher says something about each topic once, and later now and then about one. Who comes
 * late and wants to know how its topic stands hears nothing, until it is that topic's turn: with a
 * thousand topics that takes a thousand times as long as the time between two messages. PUB and SUB
 * have no memory; the cure is a cache between them, see `last_value_cache.ts`.
 *
 *   deno run --allow-net examples/guide/pathological.ts
 *
 * or the same with `bun` or `node`. After pathopub and pathosub of the ZeroMQ guide.
 *
 * @module
 */

import { Publisher, Subscriber } from "../../mod.ts";
import { sleep } from "./program.ts";

const TOPICS = 1000;
const PER_PERIOD = 10;
const PERIOD_MS = 2;

const nameOf = (topic: number): string => String(topic).padStart(3, "0");

/** Says something about every topic, then about some, drawn by chance; how often it spoke. */
async function publish(publisher: Publisher, stop: AbortSignal): Promise<number> {
  let messages = TOPICS;
  for (let topic = 0; topic < TOPICS; topic++) await publisher.send([nameOf(topic), "first value"]);
  while (!stop.aborted) {
    for (let count = 0; count < PER_PERIOD; count++, messages++) {
      await publisher.send([nameOf(Math.floor(Math.random() * TOPICS)), "other value"]);
    }
    await sleep(PERIOD_MS);
  }
  return messages;
}

/** Waits for news of one topic; how many milliseconds that took. */
async function wait(address: string, topic: number): Promise<number> {
  const subscriber = new Subscriber();
  subscriber.connect(address);
  subscriber.subscribe(nameOf(topic));
  const start = performance.now();
  await subscriber.receive();
  await subscriber.close();
  return performance.now() - start;
}

const publisher = new Publisher();
await publisher.bind("tcp://127.0.0.1:*");
const stop = new AbortController();
const early = new Subscriber();
early.connect(publisher.lastEndpoint!);
early.subscribe(nameOf(0));
while (publisher.topicsCount === 0) await sleep(1);
const publishing = publish(publisher, stop.signal);
console.log(`early: ${nameOf(0)} has its ${(await early.receive())[1]}`);
await early.close();

const topics = Array.from({ length: 10 }, () => Math.floor(Math.random() * TOPICS));
const waits = await Promise.all(topics.map((topic) => wait(publisher.lastEndpoint!, topic)));
stop.abort();
const mean = waits.reduce((sum, ms) => sum + ms) / waits.length;
console.log(
  `late: waited ${mean.toFixed(0)} ms on average, ${Math.max(...waits).toFixed(0)} at worst`,
);
console.log(`the publisher spoke ${await publishing} times`);
await publisher.close();
