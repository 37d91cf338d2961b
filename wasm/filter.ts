// The subscriber's filter: closes over the messages that match no topic, in place and before the scan, so that nothing is
// ever made for them. It has no opinion about what is malformed: the scan will meet it.

import {
  FILTER_MIDDLE,
  FLAG_COMMAND,
  FLAG_LONG,
  FLAG_MORE,
  LONG_HEADER,
  MIDDLE_DROPPED,
  RESULTS,
  SHORT_HEADER,
} from "./layout";
import { topicsMatch } from "./topics";

/**
 * Filters the octets from `at` to `end`, and answers the new end. A frame above `limit` octets ends it: whether it was wanted
 * or not, the scan refuses it. `middle` tells where between the frames of a message they
 * begin, and FILTER_MIDDLE where they end now. A message is wanted when its first frame matches a topic; with `inverted` 1,
 * when it matches none.
 */
export function filter(
  at: u32,
  end: u32,
  middle: u32,
  topics: u32,
  inverted: u32,
  limit: u32,
): u32 {
  let p = at;
  // Behind p by what was dropped.
  let q = at;
  while (end - p >= u32(SHORT_HEADER)) {
    const flags: u32 = load<u8>(p);
    let header: u32 = SHORT_HEADER;
    let size: u64 = load<u8>(p, 1);
    if (flags & FLAG_LONG) {
      if (end - p < u32(LONG_HEADER)) break;
      header = LONG_HEADER;
      size = bswap<u64>(load<u64>(p, 1));
    }
    if (flags > u32(FLAG_MORE + FLAG_LONG + FLAG_COMMAND) || u64(end - p - header) < size) break;
    const whole = header + u32(size);
    if (!(flags & FLAG_COMMAND)) {
      if (size > u64(limit)) break;
      if (middle == 0 && topicsMatch(topics, p + header, u32(size)) == inverted) {
        middle = MIDDLE_DROPPED;
      }
      if (middle == u32(MIDDLE_DROPPED)) {
        if (!(flags & FLAG_MORE)) middle = 0;
        p += whole;
        continue;
      }
      middle = flags & FLAG_MORE;
    }
    if (q != p) memory.copy(q, p, whole);
    q += whole;
    p += whole;
  }
  if (q != p) memory.copy(q, p, end - p);
  store<u32>(RESULTS + (FILTER_MIDDLE << 2), middle);
  return q + end - p;
}
