/**
 * A federation of clusters, part 1: the state flow.
 *
 * Each broker publishes how many workers it has free, and subscribes to what the others publish: one
 * PUB socket, and one SUB socket connected to all others. It tells anew when the number changes, and
 * now and then when it does not, so that a broker that is silent can be taken for dead. What was
 * missed does not matter, as the next message says it all again.
 *
 *   deno run --allow-net examples/guide/peering1.ts [--forever]
 *
 * or the same with `bun` or `node`. After peering1 of the ZeroMQ guide.
 *
 * @module
 */

import { Publisher, Subscriber } from "../../mod.ts";
import { forever, sleep } from "./program.ts";

const NAMES = ["oslo", "rome", "lima"];
const TIMES = 5;
const TELL_MS = 20;

interface Broker {
  readonly name: string;
  readonly state: Publisher;
  readonly others: Subscriber;
}

async function open(name: string): Promise<Broker> {
  const state = new Publisher();
  await state.bind("tcp://127.0.0.1:*");
  const others = new Subscriber();
  others.subscribe();
  return { name, state, others };
}

/** Tells how many workers are free: here, any number. */
async function tell({ name, state }: Broker, stop: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    await state.send([name, Math.floor(Math.random() * 10)]);
    await sleep(TELL_MS);
  }
}

/** Listens until it has heard each of the others often enough. */
async function listen({ name, others }: Broker): Promise<void> {
  const heard = new Map<string, number>();
  for await (const [peer, free] of others) {
    const times = (heard.get(`${peer}`) ?? 0) + 1;
    heard.set(`${peer}`, times);
    if (times <= TIMES || forever) console.log(`${name}: ${peer} has ${free} workers free`);
    const enough = [...heard.values()].filter((times) => times >= TIMES);
    if (enough.length === NAMES.length - 1 && !forever) return;
  }
}

const brokers = await Promise.all(NAMES.map(open));
for (const { others, state } of brokers) {
  for (const peer of brokers) {
    if (peer.state !== state) others.connect(peer.state.lastEndpoint!);
  }
}
const stop = new AbortController();
const telling = brokers.map((broker) => tell(broker, stop.signal));
await Promise.all(brokers.map(listen));

stop.abort();
await Promise.all(telling);
await Promise.all(brokers.flatMap(({ state, others }) => [state.close(), others.close()]));
console.log("each broker knows how the others are");
