/**
 * A synchronised publisher: it begins when all subscribers are there.
 *
 * A publisher cannot see who listens, and what it sends before a subscription has reached it is
 * gone. So it says hello until everybody has answered. A subscriber that hears a hello knows that
 * its connection and its subscription work, and reports through a request: from then on it
 * misses nothing. `noDrop` does the rest: for a subscriber that is slow, the publisher waits.
 *
 *   deno run --allow-net examples/guide/synchronised.ts
 *
 * or the same with `bun` or `node`. After syncpub and syncsub of the ZeroMQ guide.
 *
 * @module
 */

import { Publisher, Reply, Request, Subscriber } from "../../mod.ts";
import { sleep } from "./program.ts";

const NAMES = ["Ada", "Ben", "Cleo", "Dora", "Emil"];
const UPDATES = 10_000;
const HELLO_MS = 10;

/** Says hello until everybody has reported. */
async function gather(publisher: Publisher, reports: Reply): Promise<void> {
  let missing = NAMES.length;
  while (missing > 0) {
    await publisher.send("hello");
    await sleep(HELLO_MS);
    while (reports.readable) {
      const [name] = await reports.receive();
      await reports.send("welcome");
      console.log(`publisher: ${name} is ready, ${--missing} to come`);
    }
  }
}

/** Counts the updates from its report to the end. */
async function subscribe(name: string, updates: string, reports: string): Promise<void> {
  const subscriber = new Subscriber();
  subscriber.connect(updates);
  subscriber.subscribe("hello", "update", "end");
  await subscriber.receive(); // a hello
  subscriber.unsubscribe("hello");

  const request = new Request();
  request.connect(reports);
  await request.send(name);
  await request.receive();
  await request.close();

  let count = 0;
  for await (const [kind] of subscriber) {
    if (kind.toString() === "end") break;
    count++;
  }
  await subscriber.close();
  console.log(`${name}: ${count} of ${UPDATES} updates`);
}

const publisher = new Publisher({ noDrop: true });
await publisher.bind("tcp://127.0.0.1:*");
const reports = new Reply();
await reports.bind("tcp://127.0.0.1:*");

const subscribers = NAMES.map((name) =>
  subscribe(name, publisher.lastEndpoint!, reports.lastEndpoint!)
);
await gather(publisher, reports);
for (let number = 1; number <= UPDATES; number++) await publisher.send(["update", number]);
await publisher.send("end");

await Promise.all(subscribers);
await Promise.all([publisher.close(), reports.close()]);
