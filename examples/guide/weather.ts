/**
 * Weather server and weather clients: publish-subscribe at its simplest.
 *
 * The server broadcasts the weather of every place, all day long, to whoever listens. A client
 * subscribes to the one place it cares for, averages what it hears and leaves. Server and clients
 * do not know each other; what nobody subscribed to is dropped where it is made and never sent.
 *
 *   deno run --allow-net examples/guide/weather.ts [--forever]
 *
 * or the same with `bun` or `node`. After wuserver and wuclient of the ZeroMQ guide.
 *
 * @module
 */

import { Publisher, Subscriber } from "../../mod.ts";
import { forever, sleep } from "./program.ts";

const FIRST_POSTCODE = 10_000;
const PLACES = 200;
const SAMPLES = 50;
const SWEEP_MS = 5;

/** Broadcasts the weather of all places again and again; answers how many updates that were. */
async function serve(publisher: Publisher, stop: AbortSignal): Promise<number> {
  let updates = 0;
  while (!stop.aborted) {
    for (let place = 0; place < PLACES; place++) {
      const celsius = (place % 30) + Math.round(Math.random() * 10);
      const humidity = 40 + Math.round(Math.random() * 50);
      await publisher.send(`${FIRST_POSTCODE + place} ${celsius} ${humidity}`);
      updates++;
    }
    await sleep(SWEEP_MS);
  }
  return updates;
}

/** Listens to one place for a while. */
async function watch(address: string, postcode: number): Promise<void> {
  const subscriber = new Subscriber();
  subscriber.connect(address);
  // A topic is a prefix: without the space, 1000 would also match 10000 to 10009.
  subscriber.subscribe(`${postcode} `);

  let samples = 0;
  let sum = 0;
  for await (const [update] of subscriber) {
    const [, celsius] = update.toString().split(" ");
    sum += Number(celsius);
    if (++samples < SAMPLES) continue;
    console.log(`${postcode}: ${(sum / samples).toFixed(1)} °C on average of ${samples} updates`);
    samples = sum = 0;
    if (!forever) break;
  }
  await subscriber.close();
}

const publisher = new Publisher();
await publisher.bind("tcp://127.0.0.1:*");
console.log(`weather of ${PLACES} places on ${publisher.lastEndpoint}`);

const stop = new AbortController();
const serving = serve(publisher, stop.signal);
const postcodes = [10_001, 10_042, 10_199];
await Promise.all(postcodes.map((postcode) => watch(publisher.lastEndpoint!, postcode)));

stop.abort();
const updates = await serving;
await publisher.close();
console.log(`${updates} updates were published; the clients asked for ${postcodes.length} places`);
