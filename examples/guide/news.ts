/**
 * News: one publishes now and then, others listen for a while.
 *
 * The smallest publish-subscribe there is. The publisher does not know who listens, or whether
 * anybody does: with nobody there its messages are dropped. Ben comes later than Ada, and has
 * missed what was said before.
 *
 *   deno run --allow-net examples/guide/news.ts [--forever]
 *
 * or the same with `bun` or `node`. After publisher and subscriber of the guide's Node examples.
 *
 * @module
 */

import { Publisher, Subscriber } from "../../mod.ts";
import { forever, sleep } from "./program.ts";

const PERIOD_MS = 50;
const MESSAGES = 5;

/** Publishes a number now and then. */
async function publish(publisher: Publisher, stop: AbortSignal): Promise<void> {
  for (let number = 1; !stop.aborted; number++) {
    await publisher.send(["news", `headline ${number}`]);
    await sleep(PERIOD_MS);
  }
}

/** Listens to a few messages. */
async function listen(name: string, address: string): Promise<void> {
  const subscriber = new Subscriber();
  subscriber.connect(address);
  subscriber.subscribe("news");
  let messages = 0;
  for await (const [topic, text] of subscriber) {
    console.log(`${name} hears ${topic}: ${text}`);
    if (++messages >= MESSAGES && !forever) break;
  }
  await subscriber.close();
}

const publisher = new Publisher();
await publisher.bind("tcp://127.0.0.1:*");
const stop = new AbortController();
const publishing = publish(publisher, stop.signal);

const ada = listen("Ada", publisher.lastEndpoint!);
await sleep(4 * PERIOD_MS);
await Promise.all([ada, listen("Ben", publisher.lastEndpoint!)]);

stop.abort();
await publishing;
await publisher.close();
