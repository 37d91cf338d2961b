/**
 * Envelopes: the topic in a frame of its own.
 *
 * A message is an array of frames that arrive together. Subscriptions look at the first frame only,
 * so an envelope of [topic, author, text] keeps apart what is matched from what is said: a text may
 * begin with anything, be binary, or mention another topic, and no reader gets it by mistake.
 *
 *   deno run --allow-net examples/guide/envelopes.ts [--forever]
 *
 * or the same with `bun` or `node`. After psenvpub and psenvsub of the ZeroMQ guide.
 *
 * @module
 */

import { Publisher, Subscriber } from "../../mod.ts";
import { forever, sleep } from "./program.ts";

const EDITION_MS = 50;
const MESSAGES = 6;

const NEWS = [
  ["sport.chess", "Judit", "white resigns"],
  ["sport.rowing", "Steve", "eight seats, one winner"],
  ["weather", "Ada", "sport.rowing will get wet"],
  ["sports", "Zoe", 'a topic of its own, which "sport." does not match'],
];

/** Publishes the same news again and again. */
async function publish(publisher: Publisher, stop: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    for (const envelope of NEWS) await publisher.send(envelope);
    await sleep(EDITION_MS);
  }
}

/** Reads what is filed under the topics. */
async function read(name: string, address: string, topics: string[]): Promise<void> {
  const subscriber = new Subscriber();
  subscriber.connect(address);
  subscriber.subscribe(...topics);

  let messages = 0;
  for await (const [topic, author, text] of subscriber) {
    console.log(`${name} reads [${topic}] ${author}: ${text}`);
    if (++messages >= MESSAGES && !forever) break;
  }
  await subscriber.close();
}

const publisher = new Publisher();
await publisher.bind("tcp://127.0.0.1:*");
const address = publisher.lastEndpoint!;

const stop = new AbortController();
const publishing = publish(publisher, stop.signal);
await Promise.all([
  read("the coach ", address, ["sport."]),
  read("the sailor", address, ["weather", "sport.rowing"]),
]);

stop.abort();
await publishing;
await publisher.close();
console.log("nobody asked for [sports], so it never left the publisher");
