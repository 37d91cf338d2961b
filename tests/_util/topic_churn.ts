// A program in which subscribers take many topics and go away, and that tells after each round what it still holds.
// Usage: topic_churn.ts ROUNDS PEERS TOPICS

import { Publisher } from "../../mod.ts";
import { eventually, pause } from "./deadline.ts";
import { memory } from "./memory.ts";
import { concat } from "./octets.ts";
import { subscribed } from "./pubsub.ts";
import { subscribeCommand } from "./raw_subscriptions.ts";
import { connectAs } from "./raw_zmtp.ts";

const { process } = globalThis as unknown as { process: { argv: string[] } };
const [rounds, peers, topics] = process.argv.slice(2).map(Number);
const CHUNK = 5_000;
/** The wait for what the system does when connections close. */
const SETTLE_MS = 50;

/** One peer's subscriptions; half of the topics are its own, half are everybody's. */
async function subscribeAll(endpoint: string, round: number, peer: number): Promise<() => void> {
  const connection = await connectAs(endpoint, "SUB");
  for (let from = 0; from < topics; from += CHUNK) {
    const commands = Array.from({ length: Math.min(CHUNK, topics - from) }, (_, i) => {
      const topic = from + i;
      return subscribeCommand(`round ${round} ${topic % 2 === 0 ? peer : "all"} topic ${topic}`);
    });
    await connection.flush(concat(...commands));
  }
  return () => connection.destroy();
}

const publisher = new Publisher();
await publisher.bind("tcp://127.0.0.1:*");
const history: number[] = [];
for (let round = 0; round < rounds; round++) {
  const leaving: (() => void)[] = [];
  for (let peer = 0; peer < peers; peer++) {
    leaving.push(await subscribeAll(publisher.lastEndpoint!, round, peer));
  }
  await subscribed(publisher, peers * topics);
  for (const leave of leaving) leave();
  await eventually(() => publisher.stats().peers.length === 0 && publisher.topicsCount === 0);
  await pause(SETTLE_MS);
  history.push(memory());
}
await publisher.close();
// deno-lint-ignore no-console
console.log(JSON.stringify(history));
