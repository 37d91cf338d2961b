// The frame scanner: reads the ZMTP 3 frame headers in a span of memory and cuts it into runs of whole frames, each
// small enough to be handed out as one slab. Bodies are not touched.

import {
  BODY_LIMIT,
  COMMAND_LIMIT,
  FLAG_COMMAND,
  FLAG_LONG,
  FLAG_MORE,
  LONG_HEADER,
  RESULTS,
  RUN_LIMIT,
  RUN_WORDS,
  SCAN_AGAIN,
  SCAN_BAD_FLAGS,
  SCAN_BAD_PARTS,
  SCAN_BAD_SIZE,
  SCAN_BAD_TOTAL,
  SCAN_BODY,
  SCAN_COMMAND,
  SCAN_DONE,
  SCAN_FLAGS,
  SCAN_NEED,
  SCAN_NEXT,
  SCAN_PARTS,
  SCAN_RUNS,
  SCAN_SIZE,
  SCAN_TABLE,
  SCAN_TOTAL,
  SHORT_HEADER,
} from "./layout";

/** No run of several frames is longer. */
const SLAB_LIMIT: u32 = 65536;

let runs: u32 = 0;

function set(word: u32, value: u32): void {
  store<u32>(RESULTS + (word << 2), value);
}

function cut(start: u32, end: u32, messages: u32): void {
  if (end == start) return;
  const row = RESULTS + ((SCAN_TABLE + runs * RUN_WORDS) << 2);
  store<u32>(row, start);
  store<u32>(row, end - start, 4);
  store<u32>(row, messages, 8);
  ++runs;
}

/** Leaves the run before a fault in the table: its messages are whole. */
function refuse(
  status: u32,
  start: u32,
  at: u32,
  messages: u32,
  parts: u32,
  total: u32,
): u32 {
  cut(start, at, messages);
  return finish(status, at, parts, total);
}

function finish(status: u32, next: u32, parts: u32, total: u32): u32 {
  set(SCAN_NEXT, next);
  set(SCAN_PARTS, parts);
  set(SCAN_TOTAL, total);
  set(SCAN_RUNS, runs);
  return status;
}

/**
 * Scans the octets from `at` to `end`. `sofar` and `octets` are what SCAN_PARTS and SCAN_TOTAL said before. Refused are a
 * body above `limit` octets (negative: no limit), a message of more than `most` frames, and one of more than `whole`
 * octets; a size counts as soon as it is announced. A run ends before it would pass `slab` octets, but it may have one
 * frame of any size, or a few of some size: what is kept alive with a frame should be no more than some times the frame.
 */
export function scan(
  at: u32,
  end: u32,
  sofar: u32,
  octets: u32,
  limit: f64,
  most: u32,
  whole: u32,
  slab: u32,
): u32 {
  const longest: u64 = limit < 0 || limit > BODY_LIMIT ? BODY_LIMIT : u64(limit);
  // All that has to be looked at for a message of one frame.
  const usual = min(longest, u64(whole));
  let p = at;
  let start = at;
  let messages: u32 = 0;
  // Frames and octets so far of the message that goes on; both 0 between messages.
  let parts = sofar;
  let total = octets;
  runs = 0;
  set(SCAN_NEED, 0);
  while (end - p >= u32(SHORT_HEADER)) {
    const flags: u32 = load<u8>(p);
    let header: u32 = SHORT_HEADER;
    let size: u64 = load<u8>(p, 1);
    if (flags & FLAG_LONG) {
      if (flags & ~(FLAG_LONG | FLAG_MORE | FLAG_COMMAND)) {
        return refuse(SCAN_BAD_FLAGS, start, p, messages, parts, total);
      }
      if (end - p < u32(LONG_HEADER)) break;
      header = LONG_HEADER;
      size = bswap<u64>(load<u64>(p, 1));
    }
    if (flags > u32(FLAG_MORE + FLAG_LONG)) {
      if (flags & ~(FLAG_LONG | FLAG_COMMAND)) {
        return refuse(SCAN_BAD_FLAGS, start, p, messages, parts, total);
      }
      if (size > u64(COMMAND_LIMIT)) return refuse(SCAN_BAD_SIZE, start, p, messages, parts, total);
      if (u64(end - p) < size + header) {
        set(SCAN_NEED, u32(size) + header);
        set(SCAN_FLAGS, flags);
        break;
      }
      cut(start, p, messages);
      set(SCAN_FLAGS, flags);
      set(SCAN_BODY, p + header);
      set(SCAN_SIZE, u32(size));
      return finish(SCAN_COMMAND, p + header + u32(size), parts, total);
    }
    if (size > usual || (parts | (flags & FLAG_MORE)) != 0) {
      if (size > longest) return refuse(SCAN_BAD_SIZE, start, p, messages, parts, total);
      if (parts >= most) return refuse(SCAN_BAD_PARTS, start, p, messages, parts, total);
      if (size > u64(whole - total)) {
        return refuse(SCAN_BAD_TOTAL, start, p, messages, parts, total);
      }
    }
    if (u64(end - p) < size + header) {
      set(SCAN_NEED, u32(size) + header);
      set(SCAN_FLAGS, flags);
      break;
    }
    const next = p + header + u32(size);
    if (next - start > slab && p != start && next - start > min((next - p) << 2, SLAB_LIMIT)) {
      cut(start, p, messages);
      start = p;
      messages = 0;
      if (runs == RUN_LIMIT - 1) return finish(SCAN_AGAIN, p, parts, total);
    }
    if (flags & FLAG_MORE) {
      ++parts;
      total += u32(size);
    } else {
      parts = 0;
      total = 0;
      ++messages;
    }
    p = next;
  }
  cut(start, p, messages);
  return finish(SCAN_DONE, p, parts, total);
}
