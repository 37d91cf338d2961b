// Topics as plainly as they can be kept: a map for a subscriber's own, a map of sets for those of many peers; and random
// topics that are often the start of each other.

import fc from "fast-check";
import { TOPIC_LIMIT } from "../../../wasm/layout.ts";
import { concat } from "../../_util/octets.ts";

/** Decodes each octet to a character of its own. */
const decoder = new TextDecoder("latin1");

/** A topic as the key of a map. */
export function keyOf(topic: Uint8Array): string {
  return decoder.decode(topic);
}

/** True when `topic` is the start of `octets`. */
export function startsWith(octets: Uint8Array, topic: Uint8Array): boolean {
  if (topic.length > octets.length) return false;
  for (let i = 0; i < topic.length; i++) if (octets[i] !== topic[i]) return false;
  return true;
}

/** A subscriber's own topics: what `Topics` must do. */
export class TopicsModel {
  readonly entries: Map<string, { readonly topic: Uint8Array; count: number }> = new Map();

  get count(): number {
    return this.entries.size;
  }

  add(topic: Uint8Array): number {
    const key = keyOf(topic);
    const entry = this.entries.get(key) ?? { topic, count: 0 };
    this.entries.set(key, entry);
    return ++entry.count;
  }

  remove(topic: Uint8Array): number {
    const key = keyOf(topic);
    const entry = this.entries.get(key);
    if (entry === undefined) return -1;
    if (--entry.count === 0) this.entries.delete(key);
    return entry.count;
  }

  match(octets: Uint8Array): boolean {
    for (const { topic } of this.entries.values()) if (startsWith(octets, topic)) return true;
    return false;
  }

  /** The keys of all topics, sorted. */
  keys(): string[] {
    return [...this.entries.keys()].sort();
  }
}

/** What taking a topic to or from a peer changed. */
export type Change = "same" | "others" | "one" | "topic";

/** The topics of many peers: what `FanOut` must do with one of its lists. */
export class PeersModel<P> {
  readonly topics: Map<string, { readonly topic: Uint8Array; readonly peers: Set<P> }> = new Map();

  add(peer: P, topic: Uint8Array): Change {
    const key = keyOf(topic);
    const entry = this.topics.get(key) ?? { topic, peers: new Set<P>() };
    if (entry.peers.has(peer)) return "same";
    this.topics.set(key, entry);
    entry.peers.add(peer);
    return entry.peers.size === 1 ? "topic" : "one";
  }

  remove(peer: P, topic: Uint8Array): Change {
    const key = keyOf(topic);
    const entry = this.topics.get(key);
    if (entry === undefined) return "same";
    if (!entry.peers.delete(peer)) return "others";
    if (entry.peers.size > 0) return "one";
    this.topics.delete(key);
    return "topic";
  }

  /** The keys of a peer's topics, sorted. */
  keysOf(peer: P): string[] {
    return [...this.topics].filter(([, { peers }]) => peers.has(peer)).map(([key]) => key).sort();
  }

  /** Those who have a topic that the octets begin with. */
  matching(octets: Uint8Array): Set<P> {
    const found = new Set<P>();
    for (const { topic, peers } of this.topics.values()) {
      if (startsWith(octets, topic)) { for (const peer of peers) found.add(peer); }
    }
    return found;
  }
}

/** Octets that a counterexample shows by their description. */
function named(octets: Uint8Array, description: string): Uint8Array {
  return Object.defineProperty(octets, fc.toStringMethod, { value: () => description });
}

const octet = fc.constantFrom(97, 97, 98, 0, 255);
const short: fc.Arbitrary<Uint8Array> = fc.array(octet, { maxLength: 7 }).map((octets) =>
  Uint8Array.from(octets)
);
/** Around the borders of cells, of pages and of what a topic may be. */
const LENGTHS = [15, 16, 17, 43, 44, 45, 491, 492, 493, 1_003, 1_004, 4_090, 20_000];

function stretched([length, tail, octet]: [number, Uint8Array, number]): Uint8Array {
  const head = new Uint8Array(Math.min(length, TOPIC_LIMIT - tail.length)).fill(octet);
  return named(concat(head, tail), `${head.length} times ${octet}, then ${tail}`);
}

/** Topics of a few octets. */
export const shortTopic: fc.Arbitrary<Uint8Array> = fc.oneof(
  { weight: 9, arbitrary: short },
  { weight: 2, arbitrary: fc.nat(255).map((first) => Uint8Array.of(first)) },
);

/** Topics of any length: many are the start of others. */
export const topic: fc.Arbitrary<Uint8Array> = fc.oneof(
  { weight: 9, arbitrary: shortTopic },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.constantFrom(...LENGTHS), short, fc.constantFrom(97, 98)).map(stretched),
  },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.constant(TOPIC_LIMIT), short, fc.constant(97)).map(stretched),
  },
);

const NUMBERED = Uint8Array.from("weather/000000000000", (char) => char.charCodeAt(0));

/** The topic of a number: 20 octets, of which neighbours share the start. */
export function numbered(number: number): Uint8Array {
  const topic = NUMBERED.slice();
  for (let at = topic.length - 1; number > 0; at--) {
    topic[at] += number % 10;
    number = Math.floor(number / 10);
  }
  return topic;
}
