/**
 * A weather proxy between two networks.
 *
 * The server is on the inside, the clients are outside and see nothing but the proxy. An XSUB
 * socket faces the server and an XPUB socket the clients: updates flow out through them and
 * subscriptions flow in. So the server still sends only what somebody wants, and sends it once,
 * however many clients outside want it.
 *
 *   deno run --allow-net examples/guide/weather_proxy.ts [--forever]
 *
 * or the same with `bun` or `node`. After wuproxy of the ZeroMQ guide.
 *
 * @module
 */

import { Proxy, Publisher, Subscriber, XPublisher, XSubscriber } from "../../mod.ts";
import { forever, sleep } from "./program.ts";

const FIRST_POSTCODE = 10_000;
const PLACES = 200;
const SAMPLES = 50;
const SWEEP_MS = 5;

/** The inside: broadcasts the weather of all places; answers how many updates that were. */
async function serve(publisher: Publisher, stop: AbortSignal): Promise<number> {
  let updates = 0;
  while (!stop.aborted) {
    for (let place = 0; place < PLACES; place++) {
      const celsius = (place % 30) + Math.round(Math.random() * 10);
      await publisher.send(`${FIRST_POSTCODE + place} ${celsius}`);
      updates++;
    }
    await sleep(SWEEP_MS);
  }
  return updates;
}

/** The outside: listens to one place for a while. */
async function watch(name: string, address: string, postcode: number): Promise<void> {
  const subscriber = new Subscriber();
  subscriber.connect(address);
  subscriber.subscribe(`${postcode} `);

  let samples = 0;
  let sum = 0;
  for await (const [update] of subscriber) {
    const [, celsius] = update.toString().split(" ");
    sum += Number(celsius);
    if (++samples < SAMPLES) continue;
    console.log(`${name}: ${postcode} has ${(sum / samples).toFixed(1)} °C on average`);
    samples = sum = 0;
    if (!forever) break;
  }
  await subscriber.close();
}

const publisher = new Publisher();
await publisher.bind("tcp://127.0.0.1:*");

const inside = new XSubscriber();
inside.connect(publisher.lastEndpoint!);
const outside = new XPublisher();
await outside.bind("tcp://127.0.0.1:*");
const proxyAddress = outside.lastEndpoint!;
console.log(`inside: server on ${publisher.lastEndpoint}; outside: proxy on ${proxyAddress}`);

const proxy = new Proxy(inside, outside);
const running = proxy.run();
const stop = new AbortController();
const serving = serve(publisher, stop.signal);
await Promise.all([
  watch("Ada", proxyAddress, 10_001),
  watch("Ben", proxyAddress, 10_042),
  watch("Cleo", proxyAddress, 10_042),
]);

stop.abort();
const updates = await serving;
const { messagesIn } = proxy.statistics.frontEnd;
console.log(`${updates} updates were published; ${messagesIn} went to the proxy`);

proxy.terminate(); // closes its front and back end
await running;
await publisher.close();
