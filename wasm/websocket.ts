// deno-fmt-ignore-file: it would drop the decorators of functions.

// WebSocket frames (RFC 6455, section 5) that carry ZMTP frames (RFC 45), both ways: octets are masked and headers written
// anew in one walk over many frames. What is read becomes ZMTP frames in place.

import {
  BODY_LIMIT,
  COMMAND_LIMIT,
  FLAG_COMMAND,
  FLAG_LONG,
  FLAG_MORE,
  KEYS_SIZE,
  LONG_HEADER,
  MASK_SIZE,
  READ_BAD_CONTINUATION,
  READ_BAD_CONTROL,
  READ_BAD_EMPTY,
  READ_BAD_FLAG,
  READ_BAD_LENGTH,
  READ_BAD_MASK,
  READ_BAD_OPCODE,
  READ_BAD_RESERVED,
  READ_BAD_START,
  READ_BAD_TEXT,
  READ_BODY,
  READ_COMMANDS,
  READ_CONTROL,
  READ_DONE,
  READ_END,
  READ_FIRST,
  READ_FRAGMENT,
  READ_FRAGMENTED,
  READ_KEY,
  READ_LEFT,
  READ_MASKED,
  READ_NEXT,
  READ_SIZE,
  READ_TOO_LONG,
  RESULTS,
  SHORT_HEADER,
  WRITE_KEYLESS,
  ZWS_COMMAND,
} from "./layout";

const FIN: u32 = 0x80;
const RESERVED: u32 = 0x70;
const CONTINUATION: u32 = 0;
const TEXT: u32 = 1;
const BINARY: u32 = 2;
const CLOSE: u32 = 8;
const PONG: u32 = 10;
const MASKED: u32 = 0x80;
/** The lengths that say that the length follows, in two or eight octets. */
const MEDIUM: u32 = 126;
const LONG: u32 = 127;

/** Mask keys, each for one frame, used from the last to the first. */
const keys: u32 = u32(memory.data(4096, 16));
let keysLeft: u32 = 0;

function set(word: u32, value: u32): void {
  store<u32>(RESULTS + (word << 2), value);
}

/** The key as it is `count` octets further on. */
@inline
function turned(key: u32, count: u32): u32 {
  return rotr<u32>(key, count << 3);
}

/** Copies octets and masks them on the way, or unmasks them; `to` may be before `from` in the same octets. */
function move(from: u32, to: u32, size: u32, key: u32): void {
  // The end is loaded first, and overlaps what is before it: nothing is left to be done octet by octet.
  if (size >= 16) {
    const end = v128.xor(v128.load(from + size - 16), i32x4.splat(turned(key, size)));
    const last = to + size - 16;
    const mask = i32x4.splat(key);
    for (; to < last; from += 16, to += 16) v128.store(to, v128.xor(v128.load(from), mask));
    v128.store(last, end);
  } else if (size >= 8) {
    const mask = u64(key) << 32 | u64(key);
    const end = load<u64>(from + size - 8) ^ rotr<u64>(mask, u64(size) << 3);
    store<u64>(to, load<u64>(from) ^ mask);
    store<u64>(to + size - 8, end);
  } else if (size >= 4) {
    const end = load<u32>(from + size - 4) ^ turned(key, size);
    store<u32>(to, load<u32>(from) ^ key);
    store<u32>(to + size - 4, end);
  } else {
    for (let i: u32 = 0; i < size; i++) {
      store<u8>(to + i, load<u8>(from + i) ^ key);
      key = turned(key, 1);
    }
  }
}

/** Unmasks octets where they are, and answers the key turned to what follows. */
export function webSocketMask(at: u32, size: u32, key: u32): u32 {
  move(at, at, size, key);
  return turned(key, size);
}

// Reading

function stop(status: u32, next: u32, end: u32): u32 {
  set(READ_NEXT, next);
  set(READ_LEFT, 0);
  set(READ_END, end);
  return status;
}

/** Writes a ZMTP header, and answers where the body begins. */
@inline
function putHeader(to: u32, flags: u32, size: u32): u32 {
  if (size > 255) {
    store<u8>(to, flags | FLAG_LONG);
    store<u64>(to, bswap<u64>(size), 1);
    return to + LONG_HEADER;
  }
  store<u8>(to, flags);
  store<u8>(to, size, 1);
  return to + SHORT_HEADER;
}

/** What is wrong with the first octet of a frame. */
function checkFirst(first: u32, rules: u32): u32 {
  if (first & RESERVED) return READ_BAD_RESERVED;
  const opcode = first & 15;
  if (opcode == TEXT) return READ_BAD_TEXT;
  if (opcode == BINARY) return rules & READ_FRAGMENTED ? READ_BAD_START : READ_DONE;
  if (opcode == CONTINUATION) return rules & READ_FRAGMENTED ? READ_DONE : READ_BAD_CONTINUATION;
  if (opcode < CLOSE || opcode > PONG) return READ_BAD_OPCODE;
  return first & FIN ? READ_DONE : READ_BAD_CONTROL;
}

/**
 * Reads the frames from `at` to `end`, and writes what they carry as ZMTP frames from `out` on. `left` and `key` are what
 * READ_LEFT and READ_KEY said before. A medium frame without a mask becomes longer by four octets: `out` is so much before
 * `at`. Refused are commands above COMMAND_LIMIT, other bodies above `limit` octets (negative: BODY_LIMIT).
 */
export function webSocketRead(
  at: u32,
  end: u32,
  out: u32,
  left: u32,
  key: u32,
  rules: u32,
  limit: f64,
): u32 {
  const most: u32 = limit < 0 || limit > BODY_LIMIT ? BODY_LIMIT : u32(limit);
  const longest: u32 = rules & READ_COMMANDS ? max(most, u32(COMMAND_LIMIT)) : most;
  const mask: u32 = rules & READ_MASKED ? MASKED : 0;
  const usual: u32 = rules & READ_FRAGMENTED ? 0 : FIN | BINARY;
  let p = at;
  let to = out;
  while (p != end) {
    if (left == 0) {
      const first: u32 = load<u8>(p);
      if (first != usual) {
        const status = checkFirst(first, rules);
        if (status != READ_DONE) return stop(status, p, to);
      }
      if (end - p < 2) break;
      const second: u32 = load<u8>(p, 1);
      if ((second & MASKED) != mask) return stop(READ_BAD_MASK, p, to);
      let size: u32 = second & ~MASKED;
      let payload = p + 2;
      if (size >= MEDIUM) {
        if (first & CLOSE) return stop(READ_BAD_CONTROL, p, to);
        if (size == MEDIUM) {
          payload = p + 4;
          if (end - p < 4) break;
          size = bswap<u16>(load<u16>(p, 2));
          if (size < MEDIUM) return stop(READ_BAD_LENGTH, p, to);
        } else {
          payload = p + 10;
          if (end - p < 10) break;
          const whole = bswap<u64>(load<u64>(p, 2));
          if (whole < 65536 || i64(whole) < 0) return stop(READ_BAD_LENGTH, p, to);
          if (whole > u64(longest) + 1) return stop(READ_TOO_LONG, p, to);
          size = u32(whole);
        }
      }
      if (size > longest + 1) return stop(READ_TOO_LONG, p, to);
      if (mask != 0) {
        payload += MASK_SIZE;
        if (i32(end - payload) < 0) break;
        key = load<u32>(payload - MASK_SIZE);
      } else {
        key = 0;
      }
      if (first != (FIN | BINARY)) {
        const control = first & CLOSE;
        if (control) {
          if (end - payload < size) break;
          webSocketMask(payload, size, key);
          set(READ_BODY, payload);
        }
        set(READ_FIRST, first);
        set(READ_SIZE, size);
        set(READ_KEY, key);
        return control
          ? stop(READ_CONTROL, payload + size, to)
          : stop(READ_FRAGMENT, payload, to);
      }
      if (size == 0) return stop(READ_BAD_EMPTY, p, to);
      if (payload == end) break;
      --size;
      let flags: u32 = load<u8>(payload) ^ (key & 255);
      if (flags >= u32(ZWS_COMMAND)) {
        if (flags > u32(ZWS_COMMAND) || !(rules & READ_COMMANDS)) {
          return stop(READ_BAD_FLAG, p, to);
        }
        if (size > u32(COMMAND_LIMIT)) return stop(READ_TOO_LONG, p, to);
        flags = FLAG_COMMAND;
      } else if (size > most) {
        return stop(READ_TOO_LONG, p, to);
      }
      p = payload + 1;
      key = turned(key, 1);
      to = putHeader(to, flags, size);
      left = size;
    }
    const some = min(left, end - p);
    move(p, to, some, key);
    p += some;
    to += some;
    left -= some;
    if (left != 0) key = turned(key, some);
  }
  set(READ_NEXT, p);
  set(READ_LEFT, left);
  set(READ_KEY, key);
  set(READ_END, to);
  return READ_DONE;
}

// Writing

/** Where KEYS_SIZE octets of mask keys go; with `filled` 1 they are there. */
export function webSocketKeys(filled: u32): u32 {
  if (filled) keysLeft = KEYS_SIZE / MASK_SIZE;
  return keys;
}

/**
 * Writes the ZMTP frames from `at` to `end` as WebSocket frames into the `room` octets at `out`, as many as fit, the last
 * one perhaps only in part; answers how many octets that made. `left` and `key` are what READ_LEFT and READ_KEY said before,
 * `masked` is 1 for a client. The first octet that was not consumed is at READ_NEXT. Stops behind a frame with a header
 * longer than it must be, so that what is before it tells how long the ZMTP frames were.
 */
export function webSocketWrite(
  at: u32,
  end: u32,
  out: u32,
  room: u32,
  left: u32,
  key: u32,
  masked: u32,
): u32 {
  const limit = out + room;
  let p = at;
  let to = out;
  let keyless: u32 = 0;
  let odd = false;
  while (!odd) {
    if (left == 0) {
      if (end - p < u32(SHORT_HEADER)) break;
      const flags: u32 = load<u8>(p);
      const long = (flags & FLAG_LONG) != 0;
      if (long && end - p < u32(LONG_HEADER)) break;
      const size: u32 = long ? bswap<u32>(load<u32>(p, 5)) : load<u8>(p, 1);
      // The length field of the payload, which has the flags as well.
      const field: u32 = size < 125 ? 0 : size < 65535 ? 2 : 8;
      const header: u32 = 2 + field + (masked ? u32(MASK_SIZE) : 0);
      if (limit - to <= header) break;
      if (masked) {
        if (keysLeft == 0) {
          keyless = 1;
          break;
        }
        key = load<u32>(keys + (--keysLeft << 2));
      }
      const code = field == 0 ? size + 1 : field == 2 ? MEDIUM : LONG;
      store<u16>(to, FIN | BINARY | (code | masked << 7) << 8);
      if (field == 2) store<u16>(to, bswap<u16>(u16(size + 1)), 2);
      else if (field == 8) store<u64>(to, bswap<u64>(u64(size) + 1), 2);
      to += header;
      if (masked) store<u32>(to - MASK_SIZE, key);
      store<u8>(to, (flags & FLAG_COMMAND ? u32(ZWS_COMMAND) : flags & FLAG_MORE) ^ key);
      ++to;
      if (masked) key = turned(key, 1);
      p += long ? u32(LONG_HEADER) : u32(SHORT_HEADER);
      odd = long && size < 256;
      left = size;
    }
    const some = min(min(left, end - p), limit - to);
    move(p, to, some, key);
    p += some;
    to += some;
    left -= some;
    if (left != 0) {
      key = turned(key, some);
      break;
    }
  }
  set(READ_NEXT, p);
  set(READ_LEFT, left);
  set(READ_KEY, key);
  set(WRITE_KEYLESS, keyless);
  return to - out;
}
