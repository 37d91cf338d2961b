// The core's `filter` beside its model: the octets that stay, and where between the frames of a message they end.

import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { CoreMemory } from "../../src/core/memory.ts";
import { Topics } from "../../src/core/topics.ts";
import { BODY_LIMIT, FILTER_MIDDLE, MIDDLE_DROPPED, RESULTS } from "../../wasm/layout.ts";
import { utf8 } from "../_util/bytes.ts";
import { assertMessages, assertOctets, concat, pattern } from "../_util/octets.ts";
import { filtered, type Middle, topicStream, wanting } from "./models/filter_model.ts";
import {
  COMMAND,
  encodeFrame,
  encodeMessage,
  LONG,
  MORE,
  readStream,
} from "./models/frame_model.ts";
import { badStream } from "./models/streams.ts";
import { shortTopic } from "./models/topic_model.ts";

const CAPACITY = 2 * 1024 * 1024;
const MIDDLES: Readonly<Record<Middle, number>> = {
  between: 0,
  kept: 1,
  dropped: MIDDLE_DROPPED,
};

const memory = new CoreMemory();
const { core } = memory.filters;
const base = core.exports.alloc(CAPACITY) >>> 0;

/** Has the core filter octets; what stays of them. */
function filter(
  octets: Uint8Array,
  topics: readonly Uint8Array[],
  inverted: boolean,
  middle: Middle,
): Uint8Array {
  const own = new Topics(memory);
  for (const topic of topics) own.add(topic);
  core.bytes.set(octets, base);
  core.bytes.fill(0xee, base + octets.length, base + octets.length + 64);
  const end = base + octets.length;
  const answer = core.exports.filter(
    base,
    end,
    MIDDLES[middle],
    own.address,
    inverted ? 1 : 0,
    BODY_LIMIT,
  );
  assert(core.bytes.subarray(end, end + 64).every((octet) => octet === 0xee), "wrote behind it");
  own.free();
  return core.bytes.slice(base, answer >>> 0);
}

/** Filters octets, and compares with the model; what stays. */
function compare(
  octets: Uint8Array,
  topics: readonly Uint8Array[],
  inverted = false,
  middle: Middle = "between",
): { octets: Uint8Array; middle: Middle } {
  const answer = filter(octets, topics, inverted, middle);
  const expected = filtered(octets, wanting(topics, inverted), middle);
  assertOctets(answer, expected.octets, "what stays");
  assertEquals(core.words[(RESULTS >> 2) + FILTER_MIDDLE], MIDDLES[expected.middle]);
  return { octets: answer, middle: expected.middle };
}

const topics = fc.array(shortTopic, { maxLength: 6 });
const middles = fc.constantFrom<Middle>("between", "kept", "dropped");

describe("filter()", () => {
  it("leaves what its model leaves of any stream cut anywhere", () => {
    fc.assert(
      fc.property(topicStream, topics, fc.boolean(), middles, fc.nat(), (
        stream,
        topics,
        inverted,
        middle,
        cut,
      ) => {
        compare(stream.subarray(0, cut % (stream.length + 1)), topics, inverted, middle);
      }),
      { numRuns: 300 },
    );
  });

  it("goes on where it stopped, so that a cut changes nothing", () => {
    fc.assert(
      fc.property(topicStream, topics, fc.boolean(), (stream, topics, inverted) => {
        const whole = compare(stream, topics, inverted);
        const parts: Uint8Array[] = [];
        let rest: Uint8Array = new Uint8Array(0);
        let middle: Middle = "between";
        for (let at = 0; at < stream.length; at += 1_000) {
          const octets = concat(rest, stream.subarray(at, at + 1_000));
          const answer = compare(octets, topics, inverted, middle);
          ({ middle } = answer);
          // The unfinished frame at the end is looked at again with what follows it.
          const size = wholeFrames(answer.octets);
          parts.push(answer.octets.subarray(0, size));
          rest = answer.octets.slice(size);
        }
        assertOctets(concat(...parts, rest), whole.octets);
        assertEquals(middle, whole.middle);
      }),
      { numRuns: 100 },
    );
  });

  it("leaves what is malformed for the scan, and filters what comes before it", () => {
    fc.assert(
      fc.property(badStream, topics, fc.boolean(), (stream, topics, inverted) => {
        const expected = readStream(stream);
        const actual = readStream(filter(stream, topics, inverted, "between"));
        const wants = wanting(topics, inverted);
        assertMessages(actual.messages, expected.messages.filter(([first]) => wants(first)));
        assertEquals(actual.commands.length, expected.commands.length);
        assertEquals(actual.fault, expected.fault);
      }),
      { numRuns: 200 },
    );
    const bad = concat(Uint8Array.of(9, 0), encodeMessage([utf8("unwanted")]));
    assertOctets(compare(bad, [utf8("a")]).octets, bad);
  });

  it("goes by the first frame of a message alone", () => {
    const wanted = encodeMessage([utf8("ab"), utf8("x"), utf8("")]);
    const unwanted = encodeMessage([utf8("x"), utf8("ab"), utf8("a")]);
    const { octets } = compare(concat(unwanted, wanted, unwanted, unwanted, wanted), [utf8("a")]);
    assertOctets(octets, concat(wanted, wanted));
  });

  it("keeps commands, also between the frames of a message that goes", () => {
    const command = encodeFrame(COMMAND, utf8("\x04PING"));
    const long = encodeFrame(COMMAND | LONG, utf8("\x04PING"));
    const frames = [encodeFrame(MORE, utf8("x")), encodeFrame(0, utf8("y"))];
    const stream = concat(command, frames[0], long, frames[1], command);
    assertOctets(compare(stream, []).octets, concat(command, long, command));
  });

  it("drops everything without topics, and nothing with the empty one", () => {
    const stream = concat(...["", "a", "\0"].map((text) => encodeMessage([utf8(text)])));
    assertEquals(compare(stream, []).octets.length, 0);
    assertOctets(compare(stream, [], true).octets, stream);
    assertOctets(compare(stream, [utf8("")]).octets, stream);
    assertEquals(compare(stream, [utf8("")], true).octets.length, 0);
  });

  it("tells topics of hundreds of octets from what is one octet off", () => {
    const topic = pattern(300);
    const other = pattern(300);
    other[299] ^= 1;
    const messages = [topic, other, concat(topic, other), topic.subarray(0, 299)];
    const stream = concat(...messages.map((body) => encodeMessage([body])));
    const { octets } = compare(stream, [topic]);
    assertOctets(octets, concat(encodeMessage([topic]), encodeMessage([messages[2]])));
  });
});

/** How many octets the whole frames at the start have. */
function wholeFrames(octets: Uint8Array): number {
  let at = 0;
  for (;;) {
    const long = (octets[at] & LONG) !== 0;
    const start = at + (long ? 9 : 2);
    if (start > octets.length) return at;
    const size = long
      ? octets.subarray(at + 1, at + 9).reduce((sum, octet) => sum * 256 + octet, 0)
      : octets[at + 1];
    if (start + size > octets.length) return at;
    at = start + size;
  }
}
