// deno-fmt-ignore-file: it would drop the decorators of functions.

// CurveZMQ's MESSAGE commands (RFC 26): frames as they lie in an outbox become sealed ones, and sealed frames that arrived
// become plain ones, as many as there are in one call. Of short frames several share four blocks of the stream.

import { boxMatches, boxStart, boxTag, boxUpdate, mask, tagsEqual } from "./box";
import {
  BODY_LIMIT,
  CURVE_BAD_FLAGS,
  CURVE_BAD_INNER,
  CURVE_BAD_NAME,
  CURVE_BAD_NONCE,
  CURVE_BAD_SIZE,
  CURVE_BAD_TAG,
  CURVE_DONE,
  CURVE_END,
  CURVE_FLAGS,
  CURVE_NEED,
  CURVE_NEXT,
  CURVE_NONCE,
  CURVE_OVERHEAD,
  CURVE_TOO_SHORT,
  FLAG_COMMAND,
  FLAG_LONG,
  FLAG_MORE,
  LONG_HEADER,
  RESULTS,
  SHORT_HEADER,
} from "./layout";
import { tagsFinish, tagsLeft, tagWait } from "./poly1305";
import { GROUP, INPUTS, stream } from "./salsa20";

/** "\x07MESSAGE" */
const NAME: u64 = 0x4547415353454d07;
const NONCE_AT: u32 = 8;
const TAG_AT: u32 = 16;
/** Where the sealed octets begin: the flags, then the body. */
const TEXT_AT: u32 = 32;
/** The command flag inside. */
const INNER_COMMAND: u32 = 2;

const BLOCK: u32 = 64;
/** Frames of at most so many blocks share the stream with others, a batch of them at a time. */
const SHORT_BLOCKS: u32 = 32;
/** One of more blocks than these that is the only one takes the way of long frames: nothing else is there to be done. */
const ALONE_BLOCKS: u32 = 8;
/** Blocks of a batch at most, and so frames. */
const LANES: u32 = 64;
const HALF: u32 = 64 * 64;

/** The stream of two batches: the tags of one are made together with the stream of the next. */
const streams: u32 = u32(memory.data(2 * 64 * 64, 16));
/** The nonce and the counter of each block. */
const inputs: u32 = u32(memory.data(16 * 64, 16));
/** The tags that frames should have which are being opened. */
const tags: u32 = u32(memory.data(64 * 16, 16));
/** The tag of a long frame that is being opened, and its nonce. */
const tag: u32 = u32(memory.data(16, 16));
let opened: u64 = 0;

function set(word: u32, value: u32): void {
  store<u32>(RESULTS + (word << 2), value);
}

// The header of a frame.

@inline
function headerOf(at: u32): u32 {
  return load<u8>(at) & FLAG_LONG ? u32(LONG_HEADER) : u32(SHORT_HEADER);
}

/** The size of a body, of a frame in an outbox or one whose header was checked. */
@inline
function sizeOf(at: u32): u32 {
  return load<u8>(at) & FLAG_LONG ? bswap<u32>(load<u32>(at, 5)) : load<u8>(at, 1);
}

/** Writes a header, and answers where the body begins. */
@inline
function writeHeader(at: u32, flags: u32, size: u32): u32 {
  if (size > 255) {
    store<u8>(at, flags | FLAG_LONG);
    store<u64>(at, bswap<u64>(size), 1);
    return at + LONG_HEADER;
  }
  store<u8>(at, flags);
  store<u8>(at, size, 1);
  return at + SHORT_HEADER;
}

/** Blocks of the stream for a text: the first half of a block is the key of its tag. */
@inline
function blocksOf(size: u32): u32 {
  return (size + 32 + (BLOCK - 1)) / BLOCK;
}

/** Asks for the blocks of a frame. */
@inline
function request(lane: u32, blocks: u32, nonce: u64): void {
  for (let i: u32 = 0; i < blocks; i++, lane++) {
    const at = inputs + (lane >> 2) * INPUTS + ((lane & 3) << 2);
    store<u32>(at, u32(nonce));
    store<u32>(at, u32(nonce >> 32), 16);
    store<u32>(at, i, 32);
  }
}

/** Where the stream ends that was made in this call. */
let dirty: u32 = streams;

/** Makes the stream of a batch, and the tags that wait. */
function makeStream(keys: u32, out: u32, lanes: u32): void {
  const groups = (lanes + 3) >> 2;
  dirty = max(dirty, out + groups * GROUP);
  stream(keys, inputs, out, groups);
  tagsFinish();
}

/** Forgets the stream. */
function wipe(): void {
  memory.fill(streams, 0, dirty - streams);
  dirty = streams;
}

// Sealing

/** The header of the sealed frame, and all that comes before the tag; answers the address of the body. */
@inline
function writeCommand(out: u32, size: u32, nonce: u64): u32 {
  const body = writeHeader(out, 0, size + CURVE_OVERHEAD);
  store<u64>(body, NAME);
  store<u64>(body, bswap<u64>(nonce), NONCE_AT);
  return body;
}

@inline
function innerFlags(flags: u32): u32 {
  return (flags & FLAG_MORE) | (flags & FLAG_COMMAND ? INNER_COMMAND : 0);
}

/**
 * Seals the frames from `at` to `end` with the keys at `keys`, as many as fit into the `room` octets at `out`, and answers
 * how many octets that made. The address of the first frame that was left is at CURVE_NEXT. Answers 0 when the first frame
 * does not fit, or there is no nonce left.
 */
export function curveSeal(keys: u32, at: u32, end: u32, out: u32, room: u32): u32 {
  const limit = out + room;
  let to = out;
  let half = streams;
  while (at != end) {
    const nonce = load<u64>(keys, CURVE_NONCE);
    // The short frames that come next, and their blocks.
    let lanes: u32 = 0;
    let frames: u32 = 0;
    let need = to;
    let p = at;
    while (p != end) {
      const size = sizeOf(p);
      const blocks = blocksOf(size + 1);
      const sealed = size + LONG_HEADER + CURVE_OVERHEAD;
      if (blocks > SHORT_BLOCKS || lanes + blocks > LANES) break;
      if (need + sealed > limit || nonce + frames == u64.MAX_VALUE) break;
      request(lanes, blocks, bswap<u64>(nonce + frames));
      lanes += blocks;
      need += sealed;
      p += headerOf(p) + size;
      ++frames;
    }
    if (frames == 1 && lanes > ALONE_BLOCKS && tagsLeft == 0) frames = 0;
    if (frames != 0) {
      makeStream(keys, half, lanes);
      let from = half;
      for (let i: u32 = 0; i < frames; i++) {
        const size = sizeOf(at);
        to = sealShort(at, size, to, nonce + i, from);
        from += blocksOf(size + 1) * BLOCK;
        at += headerOf(at) + size;
      }
      store<u64>(keys, nonce + frames, CURVE_NONCE);
      half = streams + (streams + HALF - half);
    } else {
      const size = sizeOf(at);
      if (nonce == u64.MAX_VALUE) break;
      if (u64(to) + size + LONG_HEADER + CURVE_OVERHEAD > u64(limit)) break;
      tagsFinish();
      to = sealLong(keys, at, size, to);
      at += headerOf(at) + size;
    }
  }
  tagsFinish();
  wipe();
  set(CURVE_NEXT, at);
  return to - out;
}

/** Seals a frame but for its tag, which waits, and answers the end of it. */
@inline
function sealShort(at: u32, size: u32, out: u32, nonce: u64, from: u32): u32 {
  const body = writeCommand(out, size, nonce);
  const text = body + TEXT_AT;
  store<u8>(text, innerFlags(load<u8>(at)) ^ load<u8>(from, 32));
  mask(at + headerOf(at), text + 1, from + 33, size);
  tagWait(text, size + 1, from, body + TAG_AT);
  return text + 1 + size;
}

/** The same where the frame has the stream to itself. */
function sealLong(keys: u32, at: u32, size: u32, out: u32): u32 {
  const text = curveBegin(keys, load<u8>(at), size, out);
  // The flags are sealed together with the body, so they stand before it for a moment.
  const from = at + headerOf(at) - 1;
  const before = load<u8>(from);
  store<u8>(from, load<u8>(text));
  boxUpdate(from, text, size + 1, 0);
  store<u8>(from, before);
  boxTag(text - TEXT_AT + TAG_AT);
  return text + 1 + size;
}

/** How many octets the whole frames from `at` to `end` have of which no more than `sealed` octets have left. */
export function curveLeft(at: u32, end: u32, sealed: f64): u32 {
  let p = at;
  while (p != end) {
    const size = sizeOf(p);
    const whole = size + CURVE_OVERHEAD;
    sealed -= f64(whole) + (whole > 255 ? LONG_HEADER : SHORT_HEADER);
    if (sealed < 0) break;
    p += headerOf(p) + size;
  }
  return p - at;
}

/**
 * Begins a long frame whose body the caller has in pieces: writes what comes before the tag to `out`, and the inner flags,
 * not sealed yet, where the text begins; answers where that is. The frame goes on with boxUpdate and ends with boxTag.
 * Answers 0 when there is no nonce left.
 */
export function curveBegin(keys: u32, flags: u32, size: u32, out: u32): u32 {
  const nonce = load<u64>(keys, CURVE_NONCE);
  if (nonce == u64.MAX_VALUE) return 0;
  store<u64>(keys, nonce + 1, CURVE_NONCE);
  const text = writeCommand(out, size, nonce) + TEXT_AT;
  store<u8>(text, innerFlags(flags));
  boxStart(keys, text - TEXT_AT + NONCE_AT);
  return text;
}

// Opening

/** What was wrong with the frame that was opened last. */
let fault: u32 = CURVE_DONE;

/** What is wrong with the header of the sealed frame at `at`. */
@inline
function checkHeader(at: u32, limit: f64): u32 {
  const flags: u32 = load<u8>(at);
  // A command in name: libzmq sends messages without the flag, and both are taken.
  if (flags & ~(FLAG_LONG | FLAG_COMMAND)) return CURVE_BAD_FLAGS;
  const size: u64 = flags & FLAG_LONG ? bswap<u64>(load<u64>(at, 1)) : load<u8>(at, 1);
  const most: u64 = limit < 0 || limit > BODY_LIMIT - CURVE_OVERHEAD
    ? BODY_LIMIT
    : u64(limit) + CURVE_OVERHEAD;
  return size > most ? CURVE_BAD_SIZE : CURVE_DONE;
}

/** What is wrong with what its body begins with; `last` is the nonce before it. */
@inline
function checkStart(body: u32, size: u32, last: u64): u32 {
  if (size < 8 || load<u64>(body) != NAME) return CURVE_BAD_NAME;
  if (size < u32(CURVE_OVERHEAD)) return CURVE_TOO_SHORT;
  return bswap<u64>(load<u64>(body, NONCE_AT)) > last ? CURVE_DONE : CURVE_BAD_NONCE;
}

/**
 * Opens the sealed frames from `at` to `end` in place: plain frames then lie from `at` to CURVE_END. The keys at `keys` are
 * those of the peer; the nonces of the frames must rise from the last one that is there. A body above `limit` octets is
 * refused (negative: no limit). At CURVE_NEXT is the first octet that was not opened, at CURVE_NEED the size of the whole
 * frame there, 0 while its header is incomplete, at CURVE_FLAGS its flags. Answers CURVE_DONE, or what is wrong with that
 * frame; the plain frames before it are good then.
 */
export function curveOpen(keys: u32, at: u32, end: u32, limit: f64): u32 {
  let to = at;
  let status: u32 = CURVE_DONE;
  let half = streams;
  // The batch from `at` to `next` has its stream already; its tags wait.
  let next = at;
  let waiting: u32 = 0;
  let last = load<u64>(keys, CURVE_NONCE);
  set(CURVE_NEED, 0);
  while (true) {
    // The short frames behind it, and their blocks.
    let lanes: u32 = 0;
    let frames: u32 = 0;
    let p = next;
    let long = false;
    while (end - p >= u32(SHORT_HEADER)) {
      if (load<u8>(p) & FLAG_LONG && end - p < u32(LONG_HEADER)) {
        // The flags are checked as soon as they are there.
        status = load<u8>(p) & ~(FLAG_LONG | FLAG_COMMAND) ? CURVE_BAD_FLAGS : CURVE_DONE;
        break;
      }
      status = checkHeader(p, limit);
      if (status != CURVE_DONE) break;
      const size = sizeOf(p);
      const header = headerOf(p);
      if (end - p - header < size) {
        set(CURVE_NEED, size + header);
        set(CURVE_FLAGS, load<u8>(p));
        break;
      }
      status = checkStart(p + header, size, last);
      if (status != CURVE_DONE) break;
      const blocks = blocksOf(size - TEXT_AT);
      long = blocks > SHORT_BLOCKS;
      if (long || lanes + blocks > LANES) break;
      request(lanes, blocks, load<u64>(p + header, NONCE_AT));
      last = bswap<u64>(load<u64>(p + header, NONCE_AT));
      lanes += blocks;
      p += header + size;
      ++frames;
    }
    if (frames == 1 && lanes > ALONE_BLOCKS && waiting == 0) {
      long = true;
      frames = 0;
    }
    const other = streams + (streams + HALF - half);
    if (frames != 0) makeStream(keys, other, lanes);
    else tagsFinish();
    let from = half;
    for (let i: u32 = 0; i < waiting; i++) {
      const size = sizeOf(at);
      const body = at + headerOf(at);
      const nonce = load<u64>(body, NONCE_AT);
      const plainEnd = openShort(body, size - CURVE_OVERHEAD, to, from, tags + (i << 4));
      if (plainEnd == 0) break;
      store<u64>(keys, bswap<u64>(nonce), CURVE_NONCE);
      from += blocksOf(size - TEXT_AT) * BLOCK;
      at = body + size;
      to = plainEnd;
    }
    if (at != next) {
      status = fault;
      break;
    }
    if (frames == 0) {
      if (!long) break;
      const size = sizeOf(at);
      const body = at + headerOf(at);
      const nonce = load<u64>(body, NONCE_AT);
      const plainEnd = openLong(keys, body, size - CURVE_OVERHEAD, to);
      if (plainEnd == 0) {
        status = fault;
        break;
      }
      last = bswap<u64>(nonce);
      store<u64>(keys, last, CURVE_NONCE);
      at = body + size;
      to = plainEnd;
      next = at;
      waiting = 0;
      continue;
    }
    from = other;
    for (let i: u32 = 0; i < frames; i++) {
      const size = sizeOf(next);
      const text = next + headerOf(next) + TEXT_AT;
      tagWait(text, size - TEXT_AT, from, tags + (i << 4));
      from += blocksOf(size - TEXT_AT) * BLOCK;
      next = text + size - TEXT_AT;
    }
    waiting = frames;
    half = other;
  }
  wipe();
  set(CURVE_END, to);
  set(CURVE_NEXT, at);
  return status;
}

/** Writes the plain frame of a sealed one to `to`, and answers its end; 0 when it must not be read. */
@inline
function openShort(body: u32, size: u32, to: u32, from: u32, made: u32): u32 {
  if (!tagsEqual(made, body + TAG_AT)) {
    fault = CURVE_BAD_TAG;
    return 0;
  }
  const text = body + TEXT_AT;
  const inner: u32 = load<u8>(text) ^ load<u8>(from, 32);
  if (inner & ~(FLAG_MORE | INNER_COMMAND)) {
    fault = CURVE_BAD_INNER;
    return 0;
  }
  const out = writeHeader(to, outerFlags(inner), size);
  mask(text + 1, out, from + 33, size);
  return out + size;
}

@inline
function outerFlags(inner: u32): u32 {
  return (inner & FLAG_MORE) | (inner & INNER_COMMAND ? u32(FLAG_COMMAND) : 0);
}

/** The same where the body has more octets than a short header can tell. */
function openLong(keys: u32, body: u32, size: u32, to: u32): u32 {
  const text = body + TEXT_AT;
  // The tag is looked at last, when its place may be overwritten.
  const low = load<u64>(body, TAG_AT);
  const high = load<u64>(body, TAG_AT + 8);
  boxStart(keys, body + NONCE_AT);
  const flagsAt = to + LONG_HEADER - 1;
  boxUpdate(text, flagsAt, size + 1, 1);
  store<u64>(tag, low);
  store<u64>(tag, high, 8);
  const inner: u32 = load<u8>(flagsAt);
  fault = CURVE_DONE;
  if (boxMatches(tag) == 0) fault = CURVE_BAD_TAG;
  else if (inner & ~(FLAG_MORE | INNER_COMMAND)) fault = CURVE_BAD_INNER;
  if (fault == CURVE_DONE) return writeHeader(to, outerFlags(inner), size) + size;
  memory.fill(flagsAt, 0, size + 1);
  return 0;
}

/**
 * Begins to open a long frame whose octets the caller has in pieces; `body` are the first TEXT_AT of them. It goes on with
 * boxUpdate, and ends with curveOpened.
 */
export function curveOpening(keys: u32, body: u32, size: u32): u32 {
  const status = checkStart(body, size, load<u64>(keys, CURVE_NONCE));
  if (status != CURVE_DONE) return status;
  opened = bswap<u64>(load<u64>(body, NONCE_AT));
  store<u64>(tag, load<u64>(body, TAG_AT));
  store<u64>(tag, load<u64>(body, TAG_AT + 8), 8);
  boxStart(keys, body + NONCE_AT);
  return CURVE_DONE;
}

/** What is wrong with the frame that was opened in pieces; its first octet was `inner`, and becomes the flags at CURVE_FLAGS. */
export function curveOpened(keys: u32, inner: u32): u32 {
  if (boxMatches(tag) == 0) return CURVE_BAD_TAG;
  if (inner & ~(FLAG_MORE | INNER_COMMAND)) return CURVE_BAD_INNER;
  store<u64>(keys, opened, CURVE_NONCE);
  set(CURVE_FLAGS, outerFlags(inner));
  return CURVE_DONE;
}
