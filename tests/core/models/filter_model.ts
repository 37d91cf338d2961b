// What a subscriber wants of a stream, as plainly as it can be said; and random streams whose messages begin with topics.

import fc from "fast-check";
import { concat, pattern } from "../../_util/octets.ts";
import { COMMAND, encodeFrame, LONG, MORE, readHeader } from "./frame_model.ts";
import { size } from "./streams.ts";
import { shortTopic, startsWith } from "./topic_model.ts";

/** True when the first frame of a message makes it wanted. */
export type Wants = (first: Uint8Array) => boolean;

/** What of messages that begin with one of the topics, or with none, is wanted. */
export function wanting(topics: readonly Uint8Array[], inverted: boolean): Wants {
  return (first) => topics.some((topic) => startsWith(first, topic)) !== inverted;
}

/** Where between the frames of a message something ends. */
export type Middle = "between" | "kept" | "dropped";

/** The octets that a filter leaves, and where in a message they end. Whatever is no whole valid frame stays, with all behind it. */
export function filtered(
  octets: Uint8Array,
  wants: Wants,
  middle: Middle = "between",
): { octets: Uint8Array; middle: Middle } {
  const kept: Uint8Array[] = [];
  let at = 0;
  while (at < octets.length) {
    const header = readHeader(octets, at, -1);
    if (header === undefined || typeof header === "string") break;
    const { flags, start, size } = header;
    if (start + size > octets.length) break;
    const frame = octets.subarray(at, start + size);
    at = start + size;
    if (flags & COMMAND) {
      kept.push(frame);
      continue;
    }
    if (middle === "between") middle = wants(octets.subarray(start, at)) ? "kept" : "dropped";
    if (middle === "kept") kept.push(frame);
    if ((flags & MORE) === 0) middle = "between";
  }
  return { octets: concat(...kept, octets.subarray(at)), middle };
}

/** The first frame of a message is a topic and something behind it, sometimes much. */
const first = fc.tuple(shortTopic, fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, size)).map((
  [topic, size],
) => concat(topic, pattern(size)));

const frame = fc.record({
  command: fc.nat(9).map((n) => n === 0),
  long: fc.nat(5).map((n) => n === 0),
  body: fc.oneof(first, size.map((size) => pattern(size))),
  last: fc.nat(2).map((n) => n > 0),
});

/** Frames of messages that may begin with a topic, with commands between them. */
export const topicStream: fc.Arbitrary<Uint8Array> = fc.array(frame, { maxLength: 50 }).map(
  (frames) => {
    const description = frames.map(({ command, long, body, last }) =>
      `${command ? "C" : last ? "" : "M"}${long ? "L" : ""}${body.length}:${body.subarray(0, 7)}`
    ).join(" ");
    const octets = concat(
      ...frames.map(({ command, long, body, last }) =>
        encodeFrame(
          (command ? COMMAND : last ? 0 : MORE) | (long ? LONG : 0),
          body.subarray(0, 65_536),
        )
      ),
    );
    return Object.defineProperty(octets, fc.toStringMethod, { value: () => description });
  },
);
