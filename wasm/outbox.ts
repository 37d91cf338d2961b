// The outbox: a ring of ZMTP 3 frames, ready for the wire, with the messages in it counted. A message lies in one piece;
// where it does not fit before the end of the ring it starts again at the beginning. One run is in flight at a time.
// A body held by reference leaves only its header here, marked with FLAG_REFERENCE.

import { alloc, free } from "./memory";
import {
  FLAG_LONG,
  FLAG_MORE,
  FLAG_REFERENCE,
  LONG_HEADER,
  RESULTS,
  RING_LIMIT,
  RING_MINIMUM,
  SHORT_HEADER,
  TAKE_ADDRESS,
  TAKE_MIDDLE,
  TAKE_REFERENCE,
  TAKE_SIZE,
} from "./layout";

@unmanaged
export class Outbox {
  /** Messages committed and not taken. */
  waiting: u32;
  /** Of these, the ones behind the wrap. */
  lapped: u32;
  /** Octets committed and not taken, with the bodies held by reference. */
  bytes: f64;
  capacity: u32;
  references: u32;
  ring: u32;
  /** First octet that was not released. */
  head: u32;
  /** End of the run in flight; `head` when there is none. */
  taken: u32;
  /** End of the committed messages. */
  tail: u32;
  /** Where the committed octets end before the wrap. */
  edge: u32;
  /** Start and end of the message being appended. */
  start: u32;
  draft: u32;
  /** Octets and references of that message. */
  draftBytes: f64;
  draftReferences: u32;
  /** Most octets the ring held since it was last trimmed. */
  peak: u32;
  /** The next outbox in the list that publish() answers. */
  touched: u32;
  /** Its neighbours in the fan-out that it belongs to. */
  previous: u32;
  next: u32;
  /** The first entry of its peer in each list of topics. */
  active: u32;
  requested: u32;
  /** How many there are in each. */
  activeTopics: u32;
  requestedTopics: u32;
  /** Messages that publish() dropped because it was full. */
  dropped: f64;
  /** The publish() that matched it last. */
  stamp: u64;
  /** Its messages are not kept here: publish() only names it. */
  apart: u32;
}

export function open(box: u32): Outbox {
  return changetype<Outbox>(box);
}

export function outboxNew(): u32 {
  const size = u32(offsetof<Outbox>());
  const box = alloc(size);
  if (box != 0) memory.fill(box, 0, size);
  return box;
}

export function outboxFree(box: u32): void {
  const o = open(box);
  if (o.capacity != 0) free(o.ring, o.capacity);
  free(box, u32(offsetof<Outbox>()));
}

/** True when the committed octets go round the end of the ring. */
function wrapped(o: Outbox): bool {
  return o.tail < o.head;
}

/** Octets in the ring from `head` to `tail`. */
function held(o: Outbox): u32 {
  return wrapped(o) ? o.edge - o.head + o.tail : o.tail - o.head;
}

/** Moves everything to a ring of `capacity` octets; false when there is no memory. */
function resize(o: Outbox, capacity: u32): bool {
  const ring = alloc(capacity);
  if (ring == 0) return false;
  const drafted = o.draft - o.start;
  const inFlight = o.taken - o.head;
  let end: u32 = 0;
  if (wrapped(o)) {
    end = o.edge - o.head;
    memory.copy(ring, o.ring + o.head, end);
    memory.copy(ring + end, o.ring, o.tail);
    end += o.tail;
  } else {
    end = o.tail - o.head;
    memory.copy(ring, o.ring + o.head, end);
  }
  memory.copy(ring + end, o.ring + o.start, drafted);
  if (o.capacity != 0) free(o.ring, o.capacity);
  o.ring = ring;
  o.capacity = capacity;
  o.head = 0;
  o.taken = inFlight;
  o.tail = end;
  o.start = end;
  o.draft = end + drafted;
  o.lapped = 0;
  return true;
}

function grow(o: Outbox, need: u32): bool {
  const live = u64(held(o)) + u64(o.draft - o.start) + u64(need);
  let capacity: u64 = max(u64(o.capacity) << 1, RING_MINIMUM);
  while (capacity < live) capacity <<= 1;
  return capacity <= u64(RING_LIMIT) && resize(o, u32(capacity));
}

/** Makes `need` octets at `draft` free and in one piece with the rest of the message. */
export function reserve(o: Outbox, need: u32): bool {
  const drafted = o.draft - o.start;
  if (wrapped(o) || o.start < o.tail) {
    // One octet stays free, so that a full ring never looks empty.
    return u64(o.draft) + need < o.head || grow(o, need);
  }
  if (u64(o.draft) + need <= o.capacity) return true;
  if (u64(drafted) + need < o.head) {
    memory.copy(o.ring, o.ring + o.start, drafted);
    o.edge = o.tail;
    o.start = 0;
    o.draft = drafted;
    return true;
  }
  return grow(o, need);
}

/** The message being appended is whole: it waits from now on. */
export function commit(o: Outbox): void {
  if (o.start < o.tail || wrapped(o)) ++o.lapped;
  o.tail = o.draft;
  o.start = o.draft;
  ++o.waiting;
  o.bytes += o.draftBytes;
  o.references += o.draftReferences;
  o.draftBytes = 0;
  o.draftReferences = 0;
  const size = held(o);
  if (size > o.peak) o.peak = size;
}

function header(at: u32, size: u32, flags: u32): u32 {
  if (size > 255 || flags & FLAG_REFERENCE) {
    store<u8>(at, flags | FLAG_LONG);
    store<u64>(at, bswap<u64>(size), 1);
    return LONG_HEADER;
  }
  store<u8>(at, flags);
  store<u8>(at, size, 1);
  return SHORT_HEADER;
}

/**
 * Appends a frame of `size` octets and answers the address at which the caller writes its body before any other call,
 * or 0 when there is no memory (the message so far is dropped). `flags` are MORE or COMMAND; the frame without MORE
 * commits the message.
 */
export function outboxPush(box: u32, size: u32, flags: u32): u32 {
  const o = open(box);
  const need = size + (size > 255 ? LONG_HEADER : SHORT_HEADER);
  if (!reserve(o, need)) {
    outboxAbort(box);
    return 0;
  }
  const at = o.ring + o.draft;
  const body = at + header(at, size, flags);
  o.draft += need;
  o.draftBytes += need;
  if (!(flags & FLAG_MORE)) commit(o);
  return body;
}

/** Appends a frame whose body the caller keeps; answers 0 when there is no memory. */
export function outboxPushReference(box: u32, size: u32, more: u32): u32 {
  const o = open(box);
  if (!reserve(o, LONG_HEADER)) {
    outboxAbort(box);
    return 0;
  }
  header(o.ring + o.draft, size, more | FLAG_REFERENCE);
  o.draft += LONG_HEADER;
  o.draftBytes += f64(size) + LONG_HEADER;
  ++o.draftReferences;
  if (!(more & FLAG_MORE)) commit(o);
  return 1;
}

/** Appends a message whose frames are on the wire already, as `size` octets; answers as outboxPush. */
export function outboxPushMessage(box: u32, size: u32): u32 {
  const o = open(box);
  if (!reserve(o, size)) return 0;
  const at = o.ring + o.draft;
  o.draft += size;
  o.draftBytes += size;
  commit(o);
  return at;
}

/** Drops the frames of the message that was not finished. */
export function outboxAbort(box: u32): void {
  const o = open(box);
  o.start = o.tail;
  o.draft = o.tail;
  o.draftBytes = 0;
  o.draftReferences = 0;
}

/**
 * Drops the messages that wait; the run in flight stays, and what belongs to the same message where it ends in the `middle`
 * of one.
 */
export function outboxClear(box: u32, middle: u32): void {
  const o = open(box);
  let at = o.ring + o.taken;
  o.waiting = middle;
  o.lapped = 0;
  o.bytes = 0;
  o.references = 0;
  while (middle) {
    const flags = load<u8>(at);
    const size = frameSize(at);
    o.bytes += size;
    if (flags & FLAG_REFERENCE) {
      o.bytes += f64(bswap<u64>(load<u64>(at, 1)));
      ++o.references;
    }
    at += size;
    middle = flags & FLAG_MORE;
  }
  o.tail = at - o.ring;
  outboxAbort(box);
  settle(o);
}

function frameSize(at: u32): u32 {
  const flags = load<u8>(at);
  if (flags & FLAG_REFERENCE) return LONG_HEADER;
  if (flags & FLAG_LONG) return LONG_HEADER + u32(bswap<u64>(load<u64>(at, 1)));
  return SHORT_HEADER + load<u8>(at, 1);
}

function answer(address: u32, size: u32, reference: u32, middle: u32): u32 {
  store<u32>(RESULTS + (TAKE_ADDRESS << 2), address);
  store<u32>(RESULTS + (TAKE_SIZE << 2), size);
  store<u32>(RESULTS + (TAKE_REFERENCE << 2), reference);
  store<u32>(RESULTS + (TAKE_MIDDLE << 2), middle);
  return size + reference;
}

/**
 * Adds the next part to the run in flight: whole messages up to about `limit` octets, or one body held by reference.
 * Answers 0 when nothing waits before the wrap; the flight ends there.
 */
export function outboxTake(box: u32, limit: u32): u32 {
  const o = open(box);
  const around = wrapped(o);
  const end = around ? o.edge : o.tail;
  const from = o.ring + o.taken;
  const size = end - o.taken;
  if (size == 0) return 0;
  if (o.references == 0 && size <= limit) {
    const messages = around ? o.waiting - o.lapped : o.waiting;
    o.waiting -= messages;
    o.bytes -= size;
    o.taken = end;
    return answer(from, size, 0, 0);
  }
  let at = from;
  let messages: u32 = 0;
  let inside: u32 = 0;
  const stop = o.ring + end;
  while (at != stop) {
    const flags = load<u8>(at);
    const middle = flags & FLAG_MORE;
    if (flags & FLAG_REFERENCE) {
      if (at != from) {
        o.waiting -= messages;
        o.bytes -= at - from;
        o.taken += at - from;
        return answer(from, at - from, 0, inside);
      }
      const body = u32(bswap<u64>(load<u64>(at, 1)));
      o.waiting -= middle ^ 1;
      o.bytes -= f64(body) + LONG_HEADER;
      o.taken += LONG_HEADER;
      --o.references;
      return answer(at, body, 1, middle);
    }
    at += frameSize(at);
    inside = middle;
    if (middle) continue;
    ++messages;
    if (at - from >= limit) break;
  }
  o.waiting -= messages;
  o.bytes -= at - from;
  o.taken += at - from;
  return answer(from, at - from, 0, 0);
}

/** Forgets the run in flight: all of it was handed over. */
export function outboxRelease(box: u32): void {
  const o = open(box);
  o.head = o.taken;
  settle(o);
}

/** Past the wrap the ring starts again; an empty one starts at its beginning. */
function settle(o: Outbox): void {
  if (wrapped(o) && o.head == o.edge) {
    o.head = 0;
    o.taken = 0;
    o.lapped = 0;
  }
  if (o.head == o.tail && o.start == o.tail) {
    const drafted = o.draft - o.start;
    if (drafted != 0) return;
    o.head = 0;
    o.taken = 0;
    o.tail = 0;
    o.start = 0;
    o.draft = 0;
  }
}

/**
 * Takes the run in flight back after `written` of its octets were handed over: messages that left whole are released,
 * the others wait again, from their first frame. Answers how many bodies held by reference were released.
 */
export function outboxRewind(box: u32, written: f64): u32 {
  const o = open(box);
  const end = o.ring + o.taken;
  let at = o.ring + o.head;
  let message = at;
  let left = written;
  let size: f64 = 0;
  let references: u32 = 0;
  let released: u32 = 0;
  let returned: u32 = 0;
  let returnedReferences: u32 = 0;
  let going = true;
  while (at != end) {
    const flags = load<u8>(at);
    const step = frameSize(at);
    size += step;
    if (flags & FLAG_REFERENCE) {
      size += f64(bswap<u64>(load<u64>(at, 1)));
      ++references;
    }
    at += step;
    if (flags & FLAG_MORE) continue;
    going = going && size <= left;
    if (going) {
      left -= size;
      released += references;
      message = at;
    } else {
      ++returned;
      o.bytes += size;
      returnedReferences += references;
    }
    size = 0;
    references = 0;
  }
  // Of a message that was taken in part, which waits still.
  o.bytes += size;
  returnedReferences += references;
  o.waiting += returned;
  o.references += returnedReferences;
  o.head = message - o.ring;
  o.taken = o.head;
  settle(o);
  return released;
}

/** Gives half of an oversized ring back; answers 1 while there is more to give. Not while a run is in flight. */
export function outboxTrim(box: u32): u32 {
  const o = open(box);
  const peak = o.peak;
  o.peak = held(o);
  if (o.capacity <= u32(RING_MINIMUM) || o.taken != o.head || o.draft != o.start) return 0;
  if (peak < o.capacity >> 2 && !resize(o, o.capacity >> 1)) return 0;
  return u32(o.capacity > u32(RING_MINIMUM));
}
