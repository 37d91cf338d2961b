/**
 * The Suicidal Snail: a subscriber that is too slow ends itself.
 *
 * A subscriber that cannot keep up fills queues, first its own and then its publisher's, and works
 * on news that is ever older; in the end messages are dropped. Better that it notices and says so.
 * Messages carry the time when they were sent; a snail that finds one too old gives up, and
 * whoever runs it can start it afresh, with empty queues, on a faster machine, or not at all.
 * The snail next to it keeps up and never notices any of this.
 *
 *   deno run --allow-net examples/guide/suicidal_snail.ts [--forever]
 *
 * or the same with `bun` or `node`. After suisnail of the ZeroMQ guide.
 *
 * @module
 */

import { Publisher, Subscriber } from "../../mod.ts";
import { forever, sleep } from "./program.ts";

// Across machines, clocks must agree better than this.
const MAX_AGE_MS = 1000;
const REPORT_MS = 250;

/** Publishes the time, as often as the timer allows. */
async function publish(publisher: Publisher, stop: AbortSignal): Promise<void> {
  for (; !stop.aborted; await sleep(1)) await publisher.send(Date.now());
  await publisher.send("end");
}

/** Works for so long on each message, until the end or until it is too slow. */
async function crawl(name: string, address: string, workMs: number): Promise<void> {
  const subscriber = new Subscriber();
  subscriber.connect(address);
  subscriber.subscribe();

  let messages = 0;
  let reports = 0;
  for await (const [sent] of subscriber) {
    if (sent.toString() === "end") {
      console.log(`${name}: kept up with all ${messages} messages`);
      break;
    }
    const age = Date.now() - Number(sent.toString());
    if (age > MAX_AGE_MS) {
      console.log(`${name}: my news is ${age} ms old, I cannot keep up: goodbye`);
      break;
    }
    if (age > (reports + 1) * REPORT_MS) {
      reports = Math.floor(age / REPORT_MS);
      console.log(`${name}: ${age} ms behind`);
    }
    if (workMs > 0) await sleep(workMs);
    messages++;
  }
  await subscriber.close();
}

const publisher = new Publisher();
await publisher.bind("tcp://127.0.0.1:*");
const address = publisher.lastEndpoint!;
const stop = new AbortController();
const publishing = publish(publisher, stop.signal);

const fast = crawl("fast snail", address, 0);
do {
  await crawl("slow snail", address, 25);
} while (forever); // whoever runs it starts it again

stop.abort();
await Promise.all([publishing, fast]);
await publisher.close();
