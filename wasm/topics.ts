// A subscriber's own topics, each with how often it was subscribed. The filter asks it which messages are wanted, XSUB
// and SUB which requests have to go out.

import { at, find, following, insert, keyOf, open, prune, step, trieFree, trieNew } from "./trie";

/** A new set of topics, or 0 when there is no memory. */
export function topicsNew(): u32 {
  return trieNew(0);
}

export function topicsFree(topics: u32): void {
  trieFree(topics);
}

/** How many topics there are. */
export function topicsCount(topics: u32): u32 {
  return open(topics).topics;
}

/** At least the size of the longest topic. */
export function topicsLongest(topics: u32): u32 {
  return open(topics).longest;
}

/** 1 when the empty topic is among them: everything matches. */
export function topicsAll(topics: u32): u32 {
  return u32(at(open(topics).root).value != 0);
}

/** Counts a topic up and answers its count; 0 when there is no memory. */
export function topicsAdd(topics: u32, key: u32, size: u32): u32 {
  const node = insert(topics, key, size);
  if (node == 0) return 0;
  const count = ++at(node).value;
  if (count == 1) ++open(topics).topics;
  return count;
}

/** Counts a topic down and answers what is left; -1 when it was not there. */
export function topicsRemove(topics: u32, key: u32, size: u32): i32 {
  const node = find(topics, key, size);
  if (node == 0 || at(node).value == 0) return -1;
  const count = --at(node).value;
  if (count == 0) {
    --open(topics).topics;
    prune(topics, node);
  }
  return count;
}

/** 1 when some topic is the start of the octets. */
export function topicsMatch(topics: u32, key: u32, size: u32): u32 {
  const end = key + size;
  let node = open(topics).root;
  while (node != 0) {
    if (at(node).value != 0) return 1;
    node = step(node, key, end);
    if (node != 0) key += at(node).labelSize;
  }
  return 0;
}

/** The topic after `topic`, which is 0 for the first; 0 after the last. */
export function topicsNext(topics: u32, topic: u32): u32 {
  return following(topics, topic);
}

/** Writes a topic to `out`, where `longest` octets must have room, and answers its size. */
export function topicsRead(topic: u32, out: u32): u32 {
  return keyOf(topic, out);
}
