/**
 * A last-value cache: who comes late still learns the present value at once.
 *
 * A hundred instruments, each quoted now and then: a plain subscriber would wait long for its
 * first quote. The cache stands between, a proxy with a memory. Its XPUB socket hears of every new
 * subscription, and with `manualLastValue` the message sent right after `subscribe` goes to that
 * newcomer alone, so the others are not told twice.
 *
 *   deno run --allow-net examples/guide/last_value_cache.ts
 *
 * or the same with `bun` or `node`. After pathopub, pathosub and lvcache of the ZeroMQ guide.
 *
 * @module
 */

import { Publisher, Subscriber, XPublisher } from "../../mod.ts";
import { sleep } from "./program.ts";

type Cache = Map<string, Uint8Array>;

const INSTRUMENTS = 100;
const LIVE_QUOTES = 2;
const SUBSCRIBE = 1;

const nameOf = (instrument: number): string => `N${String(instrument).padStart(3, "0")}`;

/** Quotes everything once, then now one and then another. */
async function quote(publisher: Publisher, stop: AbortSignal): Promise<void> {
  for (let i = 0; i < INSTRUMENTS; i++) await publisher.send([nameOf(i), 1000 + i]);
  while (!stop.aborted) {
    const i = Math.floor(Math.random() * INSTRUMENTS);
    await publisher.send([nameOf(i), 1000 + i + Math.floor(Math.random() * 10)]);
    await sleep(1);
  }
}

/** Passes quotes on and keeps the last of each instrument. */
async function forward(quotes: Subscriber, clients: XPublisher, cache: Cache): Promise<void> {
  for await (const [topic, price] of quotes) {
    cache.set(topic.toString(), price);
    await clients.send([topic, price, "live"]);
  }
}

/** Gives each newcomer the last value of what it asks for. */
async function welcome(clients: XPublisher, cache: Cache): Promise<void> {
  for await (const [request] of clients) {
    const topic = request.subarray(1);
    if (request[0] === SUBSCRIBE) {
      clients.subscribe(topic);
      await clients.send([topic, cache.get(topic.toString()) ?? "unknown", "cached"]);
    } else {
      clients.unsubscribe(topic);
    }
  }
}

/** Follows one instrument until it was quoted a few times. */
async function follow(name: string, address: string, instrument: number): Promise<void> {
  const start = performance.now();
  const subscriber = new Subscriber();
  subscriber.connect(address);
  subscriber.subscribe(nameOf(instrument));

  let live = 0;
  for await (const [topic, price, origin] of subscriber) {
    const elapsed = Math.round(performance.now() - start);
    console.log(`${name}: ${topic} at ${price} (${origin}) after ${elapsed} ms`);
    if (origin.toString() === "live" && ++live === LIVE_QUOTES) break;
  }
  await subscriber.close();
}

const publisher = new Publisher();
await publisher.bind("tcp://127.0.0.1:*");

const cache: Cache = new Map();
const quotes = new Subscriber();
quotes.connect(publisher.lastEndpoint!);
quotes.subscribe();
const clients = new XPublisher({ manualLastValue: true });
await clients.bind("tcp://127.0.0.1:*");
const forwarding = forward(quotes, clients, cache);
const welcoming = welcome(clients, cache);

while (publisher.topicsCount === 0) await sleep(1); // until the cache is there: see slow_joiner.ts
const stop = new AbortController();
const quoting = quote(publisher, stop.signal);
while (cache.size < INSTRUMENTS) await sleep(1);
console.log(`the cache on ${clients.lastEndpoint} knows ${cache.size} instruments`);

const address = clients.lastEndpoint!;
await Promise.all([
  follow("Ada", address, 42),
  follow("Ben", address, 42),
  follow("Cleo", address, 7),
]);

stop.abort();
await quoting;
await Promise.all([publisher, quotes, clients].map((socket) => socket.close()));
await Promise.all([forwarding, welcoming]); // closing its socket ended each loop
