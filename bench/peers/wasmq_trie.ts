// What subscriptions cost a publisher, asked of the core itself: one peer with all of them, and its outbox full, so that
// a message that matches is dropped after the match. What a publish costs otherwise is measured with a single
// subscription and subtracted.

import { LIST_ACTIVE } from "../../wasm/layout.ts";
import { FanOut } from "../../src/core/fan_out.ts";
import { Core } from "../../src/core/instance.ts";
import { Outbox } from "../../src/core/outbox.ts";

const TOPIC_SIZE = 20;
/** A block that no part of a trie has, so that it always comes from the end of the memory. */
const PROBE = 1 << 20;

/** Of the look-ups, so that an interruption does not count. */
const SLICES = 50;
/** Few subscriptions are added and removed again until the clock can tell. */
const TIMED_AT_LEAST = 100_000;

/** The figures of one size, in nanoseconds and octets for each. */
export interface TrieCost {
  addNs: number;
  matchNs: number;
  missNs: number;
  removeNs: number;
  bytes: number;
}

/** Topics of 20 octets with shared prefixes, one after the other in one array. */
function makeTopics(count: number, last: string): Uint8Array {
  const topics = new Uint8Array(count * TOPIC_SIZE);
  const encoder = new TextEncoder();
  for (let i = 0; i < count; i++) {
    const text = `sensors/${String(i).padStart(6, "0")}/temp${last}`;
    encoder.encodeInto(text, topics.subarray(i * TOPIC_SIZE));
  }
  return topics;
}

/** xorshift, so that the order is the same on every machine. */
function makeOrder(lookups: number, limit: number): Uint32Array {
  const order = new Uint32Array(lookups);
  let state = 2463534242;
  for (let i = 0; i < lookups; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    order[i] = (state >>> 0) % limit;
  }
  return order;
}

function nanosecondsEach(count: number, job: () => void): number {
  const start = performance.now();
  job();
  return (performance.now() - start) / count * 1e6;
}

/** One publisher with one peer. */
class Stand {
  readonly #core = new Core();
  readonly #fan = new FanOut(this.#core);
  readonly #outbox = new Outbox(this.#core);
  readonly #topic = new Uint8Array(TOPIC_SIZE);

  constructor() {
    this.#fan.join(this.#outbox);
  }

  /** How far the core's memory is in use. */
  get top(): number {
    const address = this.#core.exports.alloc(PROBE) >>> 0;
    if (this.#core.bytes.length === 0) this.#core.refresh();
    return address;
  }

  get dropped(): number {
    return this.#fan.dropped;
  }

  add(topic: Uint8Array): void {
    this.#fan.add(LIST_ACTIVE, this.#outbox, topic);
  }

  addAll(topics: Uint8Array): void {
    for (let at = 0; at < topics.length; at += TOPIC_SIZE) this.add(this.#topicAt(topics, at));
  }

  removeAll(topics: Uint8Array): void {
    for (let at = 0; at < topics.length; at += TOPIC_SIZE) {
      this.#fan.remove(LIST_ACTIVE, this.#outbox, this.#topicAt(topics, at));
    }
  }

  /** Publishes in a given order; nanoseconds for each, the median of many slices. */
  timePublishing(topics: Uint8Array, order: Uint32Array): number {
    const each = Math.floor(order.length / SLICES);
    const slices = Float64Array.from({ length: SLICES }, (_, slice) => {
      const part = order.subarray(slice * each, (slice + 1) * each);
      return nanosecondsEach(each, () => this.publishAll(topics, part));
    });
    return slices.sort()[SLICES >> 1];
  }

  publishAll(topics: Uint8Array, order: Uint32Array): void {
    for (let i = 0; i < order.length; i++) {
      this.#fan.publish(this.#topicAt(topics, order[i] * TOPIC_SIZE), undefined, 1, 0, 0);
    }
  }

  #topicAt(topics: Uint8Array, at: number): Uint8Array {
    for (let i = 0; i < TOPIC_SIZE; i++) this.#topic[i] = topics[at + i];
    return this.#topic;
  }
}

/** Compiles the code on all ways through it, and says what a publish costs that finds nothing at the first octet. */
function timeBarePublishing(topics: Uint8Array, order: Uint32Array): number {
  const warmUp = new Stand();
  const few = topics.subarray(0, 1000 * TOPIC_SIZE);
  const fewInOrder = makeOrder(200_000, few.length / TOPIC_SIZE);
  for (let round = 0; round < 20; round++) {
    warmUp.addAll(few);
    warmUp.publishAll(few, fewInOrder);
    warmUp.removeAll(few);
  }
  const bare = new Stand();
  bare.add(new TextEncoder().encode("x"));
  return bare.timePublishing(topics, order);
}

/** The job `trie`. */
export function measureTrie([subscriptions, lookups]: string[]): Promise<TrieCost> {
  const count = Number(subscriptions);
  const topics = makeTopics(count, "/");
  const others = makeTopics(count, "!"); // as long a way as for a match, in vain
  const order = makeOrder(Number(lookups), count);
  const bare = timeBarePublishing(topics, order);

  const stand = new Stand();
  const start = stand.top;
  const rounds = Math.ceil(TIMED_AT_LEAST / count);
  let addNs = nanosecondsEach(count, () => stand.addAll(topics));
  let removeNs = 0;
  for (let round = 1; round < rounds; round++) {
    removeNs += nanosecondsEach(count, () => stand.removeAll(topics));
    addNs += nanosecondsEach(count, () => stand.addAll(topics));
  }
  const bytes = (stand.top - start - PROBE) / count;

  const matchNs = stand.timePublishing(topics, order) - bare;
  // The first message filled the outbox; every other one matched, or it would not count as dropped.
  const dropped = stand.dropped;
  if (dropped < order.length - SLICES) throw new Error("A topic did not match its subscription");
  const missNs = stand.timePublishing(others, order) - bare;
  if (stand.dropped !== dropped) throw new Error("A topic matched that nobody subscribed");
  removeNs += nanosecondsEach(count, () => stand.removeAll(topics));
  return Promise.resolve({
    addNs: addNs / rounds,
    matchNs,
    missNs,
    removeNs: removeNs / rounds,
    bytes,
  });
}
