// Fan-out: one message to the outboxes of all peers that are subscribed to a start of it. Peers and topics meet in
// entries, each in two lists: that of its topic's node and that of its peer's outbox; so a lost peer costs what it had.

import { alloc, free } from "./memory";
import { cellAlloc, cellFree } from "./cells";
import {
  FAN_NO_MEMORY,
  FAN_ONE,
  FAN_OTHERS,
  FAN_SAME,
  FAN_TOPIC,
  FLAG_LONG,
  FLAG_REFERENCE,
  LIST_ACTIVE,
  LONG_HEADER,
  PUBLISH_ALL_OR_NONE,
  PUBLISH_FIRST,
  PUBLISH_INVERTED,
  PUBLISH_MATCH_ONLY,
  PUBLISH_NAME_ALL,
  RESULTS,
  SHORT_HEADER,
} from "./layout";
import { commit, open as openBox, Outbox, outboxClear, reserve } from "./outbox";
import { at, find, insert, keyOf, open as openTrie, prune, step, trieFree, trieNew } from "./trie";

@unmanaged
class Fan {
  /** Messages dropped for all its outboxes. */
  dropped: f64;
  /** The last publish(). */
  stamp: u64;
  /** Topics that are published to, and topics that were asked for. */
  active: u32;
  requested: u32;
  /** The first of the connected peers. */
  peers: u32;
}

/** One peer's subscription to one topic. The trie knows the first two words. */
@unmanaged
class Entry {
  node: u32;
  next: u32;
  previous: u32;
  box: u32;
  /** Neighbours in the list of the peer. */
  after: u32;
  before: u32;
}

function open(fan: u32): Fan {
  return changetype<Fan>(fan);
}

function entryAt(entry: u32): Entry {
  return changetype<Entry>(entry);
}

function trieOf(fan: u32, list: u32): u32 {
  return list == LIST_ACTIVE ? open(fan).active : open(fan).requested;
}

export function fanNew(): u32 {
  const size = u32(offsetof<Fan>());
  const fan = alloc(size);
  if (fan == 0) return 0;
  memory.fill(fan, 0, size);
  open(fan).active = trieNew(1);
  open(fan).requested = trieNew(1);
  if (open(fan).active != 0 && open(fan).requested != 0) return fan;
  if (open(fan).active != 0) trieFree(open(fan).active);
  free(fan, size);
  return 0;
}

/** Gives a fan-out back. Its peers must be gone. */
export function fanFree(fan: u32): void {
  trieFree(open(fan).active);
  trieFree(open(fan).requested);
  free(fan, u32(offsetof<Fan>()));
}

/** How many topics somebody has in a list. */
export function fanTopics(fan: u32, list: u32): u32 {
  return openTrie(trieOf(fan, list)).topics;
}

/** At least the size of the longest topic of a list. */
export function fanLongest(fan: u32, list: u32): u32 {
  return openTrie(trieOf(fan, list)).longest;
}

// Peers

/** A peer is connected. It has no topics yet. */
export function fanJoin(fan: u32, box: u32): void {
  const f = open(fan);
  const o = openBox(box);
  o.previous = 0;
  o.next = f.peers;
  if (f.peers != 0) openBox(f.peers).previous = box;
  f.peers = box;
}

/** A peer is gone; its topics must have been taken by fanPop. */
export function fanLeave(fan: u32, box: u32): void {
  const o = openBox(box);
  if (o.previous != 0) openBox(o.previous).next = o.next;
  else open(fan).peers = o.next;
  if (o.next != 0) openBox(o.next).previous = o.previous;
}

// Topics. A node's value is the first of its entries; its extra word is the peer's outbox, if there is but one.

function firstOf(o: Outbox, list: u32): u32 {
  return list == LIST_ACTIVE ? o.active : o.requested;
}

function setFirst(o: Outbox, list: u32, entry: u32): void {
  if (list == LIST_ACTIVE) o.active = entry;
  else o.requested = entry;
}

function count(o: Outbox, list: u32, change: i32): void {
  if (list == LIST_ACTIVE) o.activeTopics += change;
  else o.requestedTopics += change;
}

function entryOf(node: u32, box: u32): u32 {
  let entry = at(node).value;
  while (entry != 0 && entryAt(entry).box != box) entry = entryAt(entry).next;
  return entry;
}

/** Subscribes a peer to a topic: FAN_NO_MEMORY, FAN_SAME, FAN_ONE or FAN_TOPIC. */
export function fanAdd(fan: u32, list: u32, box: u32, key: u32, size: u32): u32 {
  const trie = trieOf(fan, list);
  const node = insert(trie, key, size);
  if (node == 0) return FAN_NO_MEMORY;
  if (entryOf(node, box) != 0) return FAN_SAME;
  const entry = cellAlloc(u32(offsetof<Entry>()));
  if (entry == 0) {
    prune(trie, node);
    return FAN_NO_MEMORY;
  }
  const o = openBox(box);
  const e = entryAt(entry);
  const others = at(node).value;
  e.node = node;
  e.box = box;
  e.previous = 0;
  e.next = others;
  if (others != 0) entryAt(others).previous = entry;
  at(node).value = entry;
  at(node).extra = others == 0 ? box : 0;
  e.before = 0;
  e.after = firstOf(o, list);
  if (e.after != 0) entryAt(e.after).before = entry;
  setFirst(o, list, entry);
  count(o, list, 1);
  if (others != 0) return FAN_ONE;
  ++openTrie(trie).topics;
  return FAN_TOPIC;
}

/** Takes a peer's topic away: FAN_SAME, FAN_OTHERS, FAN_ONE or FAN_TOPIC. */
export function fanRemove(fan: u32, list: u32, box: u32, key: u32, size: u32): u32 {
  const node = find(trieOf(fan, list), key, size);
  if (node == 0 || at(node).value == 0) return FAN_SAME;
  const entry = entryOf(node, box);
  return entry == 0 ? u32(FAN_OTHERS) : removeEntry(fan, list, entry);
}

function removeEntry(fan: u32, list: u32, entry: u32): u32 {
  const e = entryAt(entry);
  const o = openBox(e.box);
  const node = e.node;
  if (e.previous != 0) entryAt(e.previous).next = e.next;
  else at(node).value = e.next;
  if (e.next != 0) entryAt(e.next).previous = e.previous;
  if (e.before != 0) entryAt(e.before).after = e.after;
  else setFirst(o, list, e.after);
  if (e.after != 0) entryAt(e.after).before = e.before;
  count(o, list, -1);
  cellFree(entry, u32(offsetof<Entry>()));
  const left = at(node).value;
  at(node).extra = left != 0 && entryAt(left).next == 0 ? entryAt(left).box : 0;
  if (left != 0) return FAN_ONE;
  const trie = trieOf(fan, list);
  --openTrie(trie).topics;
  prune(trie, node);
  return FAN_TOPIC;
}

/**
 * Takes away one of a peer's topics: answers -1 when it has none, else the topic's size, with its octets at `out`, where
 * `longest` octets must have room, and FAN_ONE or FAN_TOPIC at RESULTS.
 */
export function fanPop(fan: u32, list: u32, box: u32, out: u32): i32 {
  const entry = firstOf(openBox(box), list);
  if (entry == 0) return -1;
  const size = keyOf(entryAt(entry).node, out);
  store<u32>(RESULTS, removeEntry(fan, list, entry));
  return size;
}

// Publishing

// The publish() under way: kept here because a function with a dozen parameters is no easier to read.
let fanOut: u32 = 0;
let stamp: u64 = 0;
let message: u32 = 0;
let messageSize: u32 = 0;
let octets: f64 = 0;
let references: u32 = 0;
let mark: u32 = 0;
let batch: f64 = 0;
let how: u32 = 0;
let touched: u32 = 0;

/**
 * Publishes the one message of the outbox `draft`, and empties that: to the peers with a topic that the octets at `key`
 * begin with, or only to `only` among them when that is not 0. With `key` 0 the octets are the message's first frame. An
 * outbox is full when `mark` messages (0: no mark) and `batch` octets wait in it; its peer does without the message, and
 * that is counted. Answers 0 when PUBLISH_ALL_OR_NONE kept the message from everybody, which leaves it in `draft`.
 *
 * The list at PUBLISH_FIRST has the outboxes that the caller has to look at: those that were empty, those in which the
 * octets reached a batch, and those that became full.
 */
export function publish(
  fan: u32,
  draft: u32,
  key: u32,
  size: u32,
  only: u32,
  markNow: u32,
  batchNow: f64,
  flags: u32,
): u32 {
  const f = open(fan);
  const d = openBox(draft);
  fanOut = fan;
  message = d.ring + d.head;
  messageSize = d.tail - d.head;
  octets = d.bytes;
  references = d.references;
  mark = markNow;
  batch = batchNow;
  how = flags;
  touched = 0;
  if (key == 0) {
    const long = load<u8>(message) & FLAG_LONG;
    key = message + (long ? LONG_HEADER : SHORT_HEADER);
    size = long ? u32(bswap<u64>(load<u64>(message, 1))) : load<u8>(message, 1);
  }
  if (flags & PUBLISH_ALL_OR_NONE) {
    stamp = ++f.stamp;
    if (anyFull(f, key, key + size, only)) return 0;
  }
  stamp = ++f.stamp;
  if (flags & PUBLISH_INVERTED) {
    markMatching(f, key, key + size);
    for (let box = f.peers; box != 0; box = openBox(box).next) {
      if (openBox(box).stamp != stamp && (only == 0 || box == only)) deliver(box);
    }
  } else {
    toMatching(f, key, key + size, only);
  }
  outboxClear(draft, 0);
  store<u32>(RESULTS + (PUBLISH_FIRST << 2), touched);
  return 1;
}

function toMatching(f: Fan, key: u32, end: u32, only: u32): void {
  let node = openTrie(f.active).root;
  while (node != 0) {
    const single = at(node).extra;
    if (single != 0) {
      offer(single, only);
    } else {
      for (let entry = at(node).value; entry != 0; entry = entryAt(entry).next) {
        offer(entryAt(entry).box, only);
      }
    }
    node = step(node, key, end);
    if (node != 0) key += at(node).labelSize;
  }
}

/** Delivers to an outbox that matches, once. */
function offer(box: u32, only: u32): void {
  const o = openBox(box);
  if (o.stamp == stamp || (only != 0 && box != only)) return;
  o.stamp = stamp;
  deliver(box);
}

/** Stamps the matching outboxes. */
function markMatching(f: Fan, key: u32, end: u32): void {
  let node = openTrie(f.active).root;
  while (node != 0) {
    for (let entry = at(node).value; entry != 0; entry = entryAt(entry).next) {
      openBox(entryAt(entry).box).stamp = stamp;
    }
    node = step(node, key, end);
    if (node != 0) key += at(node).labelSize;
  }
}

/** True when an outbox that would get the message is full. */
function anyFull(f: Fan, key: u32, end: u32, only: u32): bool {
  markMatching(f, key, end);
  const matching = (how & PUBLISH_INVERTED) == 0;
  for (let box = f.peers; box != 0; box = openBox(box).next) {
    if ((openBox(box).stamp == stamp) != matching || (only != 0 && box != only)) continue;
    if (isFull(openBox(box))) return true;
  }
  return false;
}

function isFull(o: Outbox): bool {
  return mark != 0 && o.waiting >= mark && o.bytes >= batch;
}

function touch(o: Outbox): void {
  o.touched = touched;
  touched = changetype<u32>(o);
}

function deliver(box: u32): void {
  const o = openBox(box);
  if (how & PUBLISH_MATCH_ONLY) return touch(o);
  if (isFull(o) || (o.apart == 0 && !reserve(o, messageSize))) {
    ++o.dropped;
    ++open(fanOut).dropped;
    return;
  }
  if (o.apart != 0) return touch(o);
  copy(o.ring + o.draft, message, messageSize);
  const before = o.bytes;
  o.draft += messageSize;
  o.draftBytes += octets;
  o.draftReferences += references;
  commit(o);
  if (
    o.waiting == 1 || (before < batch && o.bytes >= batch) || o.waiting == mark ||
    how & PUBLISH_NAME_ALL
  ) {
    touch(o);
  }
}

/** Copies at least two octets; short ones in a few loads that may overlap, because a call costs more than they do. */
function copy(to: u32, from: u32, size: u32): void {
  if (size > 64) {
    memory.copy(to, from, size);
  } else if (size >= 16) {
    const last = size - 16;
    v128.store(to, v128.load(from));
    if (size > 32) {
      v128.store(to + 16, v128.load(from + 16));
      v128.store(to + last - 16, v128.load(from + last - 16));
    }
    v128.store(to + last, v128.load(from + last));
  } else if (size >= 8) {
    const last = size - 8;
    store<u64>(to, load<u64>(from));
    store<u64>(to + last, load<u64>(from + last));
  } else if (size >= 4) {
    const last = size - 4;
    store<u32>(to, load<u32>(from));
    store<u32>(to + last, load<u32>(from + last));
  } else {
    store<u16>(to, load<u16>(from));
    store<u8>(to + size - 1, load<u8>(from + size - 1));
  }
}
