// A receiver with a subscriber's filter: only what is wanted comes out, however the stream is cut, however long the frames
// are, and while the subscriber's topics change.

import { assert, assertEquals, assertLess, assertNotStrictEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { CoreMemory } from "../../src/core/memory.ts";
import type { Filter } from "../../src/core/receiver.ts";
import { Topics } from "../../src/core/topics.ts";
import { utf8 } from "../_util/bytes.ts";
import { assertMessages, concat, pattern } from "../_util/octets.ts";
import { topicStream, wanting } from "./models/filter_model.ts";
import {
  BAD_FLAGS,
  COMMAND,
  encodeFrame,
  encodeMessage,
  type Header,
  MORE,
  readHeader,
  readStream,
} from "./models/frame_model.ts";
import { cut, reads } from "./models/streams.ts";
import { LARGEST_READ, Taking } from "./models/taking.ts";
import { numbered, shortTopic, TopicsModel } from "./models/topic_model.ts";

const memory = new CoreMemory();

function filterOf(memory: CoreMemory, topics: readonly Uint8Array[], inverted = false): Filter {
  const own = new Topics(memory);
  for (const topic of topics) own.add(topic);
  return { topics: own, inverted };
}

/** A receiver that keeps what is wanted. */
function taking(filter: Filter, from: CoreMemory = memory): Taking {
  return new Taking(-1, LARGEST_READ, from, undefined, filter);
}

function compare(
  stream: Uint8Array,
  sizes: readonly number[],
  topics: readonly Uint8Array[],
  inverted = false,
): void {
  const expected = readStream(stream);
  const filter = filterOf(memory, topics, inverted);
  const actual = taking(filter);
  for (const piece of cut(stream, sizes)) actual.read(piece);
  actual.take();
  const wants = wanting(topics, inverted);
  assertMessages(actual.messages, expected.messages.filter(([first]) => wants(first)));
  assertEquals(actual.commands.length, expected.commands.length);
  assertEquals(actual.fault, expected.fault);
  actual.receiver.cut();
  actual.receiver.free();
  filter.topics.free();
}

/** The whole messages of a stream, and for each that begins where its first frame ends. */
function beginnings(stream: Uint8Array): {
  messages: Uint8Array[][];
  begun: { first: Uint8Array; end: number }[];
} {
  const begun: { first: Uint8Array; end: number }[] = [];
  let middle = false;
  for (let at = 0; at < stream.length;) {
    const { flags, start, size } = readHeader(stream, at, -1) as Header;
    at = start + size;
    if (flags & COMMAND) continue;
    if (!middle) begun.push({ first: stream.subarray(start, at), end: at });
    middle = (flags & MORE) !== 0;
  }
  return { messages: readStream(stream).messages, begun };
}

describe("Receiver with a filter", () => {
  it("gives what of the model is wanted, however the stream is cut", () => {
    fc.assert(
      fc.property(
        topicStream,
        reads,
        fc.array(shortTopic, { maxLength: 5 }),
        fc.boolean(),
        compare,
      ),
      { numRuns: 150 },
    );
  });

  it("gives the same for every place at which a stream can be cut", () => {
    const stream = concat(
      encodeMessage([utf8("a1"), pattern(300)]),
      encodeMessage([utf8("b"), utf8("a"), pattern(260)]),
      encodeFrame(COMMAND, utf8("\x04PING")),
      encodeMessage([utf8("a")]),
      encodeFrame(MORE, utf8("b")),
      encodeFrame(COMMAND, utf8("\x04PING")),
      encodeFrame(0, utf8("a")),
      encodeMessage([utf8("")]),
      encodeMessage([utf8("a2")]),
    );
    for (let size = 1; size <= stream.length; size++) {
      compare(stream, [size, Infinity], [utf8("a")]);
      if (size % 5 === 0) compare(stream, [size], [utf8("a")], true);
    }
  });

  it("filters frames that are too long for its region, first ones and others", () => {
    const long = [pattern(5_000, 1), pattern(70_000, 2), pattern(300_000, 3)];
    const marked = long.map((body) => concat(utf8("a"), body));
    const stream = concat(
      ...long.map((body) => encodeMessage([utf8("a"), body, utf8("b")])),
      ...long.map((body) => encodeMessage([utf8("b"), body, utf8("a"), body])),
      ...marked.map((body) => encodeMessage([body, utf8("b"), body])),
      encodeMessage([concat(utf8("b"), long[2])]),
      encodeMessage(marked),
      encodeMessage([utf8("b")]),
      encodeMessage([utf8("a")]),
    );
    for (const sizes of [[Infinity], [4_096], [1_000, 7], [100_003]]) {
      compare(stream, sizes, [utf8("a")]);
      compare(stream, sizes, [utf8("a")], true);
      compare(stream, sizes, [concat(utf8("a"), long[1].subarray(0, 65_000))]);
    }
  });

  it("keeps the rest of a message that was wanted when it began, and drops that of one that was not", () => {
    const filter = filterOf(memory, [utf8("a")]);
    const actual = taking(filter);
    actual.read(encodeFrame(MORE, utf8("a")));
    filter.topics.remove(utf8("a"));
    filter.topics.add(utf8("b"));
    actual.read(encodeFrame(0, utf8("rest")));
    actual.read(encodeFrame(MORE, utf8("a")));
    filter.topics.add(utf8("a"));
    actual.read(encodeFrame(0, utf8("b")));
    actual.read(encodeMessage([utf8("a")]));
    actual.take();
    assertMessages(actual.messages, [[utf8("a"), utf8("rest")], [utf8("a")]]);
    actual.receiver.free();
    filter.topics.free();
  });

  it("drops the rest of a message that the inbox gave up after its beginning", () => {
    for (const rest of [encodeFrame(MORE, pattern(20)), encodeFrame(MORE, pattern(90_000))]) {
      const filter = filterOf(memory, [utf8("a"), utf8("b")]);
      const actual = taking(filter);
      const half = rest.length >> 1;
      actual.read(concat(encodeMessage([utf8("b")]), encodeFrame(MORE, utf8("a"))));
      actual.read(rest.subarray(0, half));
      filter.topics.remove(utf8("a"));
      actual.inbox.filter((octets) => filter.topics.match(octets));
      actual.read(rest.subarray(half));
      actual.read(concat(encodeFrame(0, utf8("b")), encodeMessage([utf8("b"), utf8("c")])));
      actual.take();
      assertMessages(actual.messages, [[utf8("b")], [utf8("b"), utf8("c")]]);
      assertEquals(actual.fault, undefined);
      actual.receiver.free();
      filter.topics.free();
    }
  });

  it("notices in the middle of a message that not everything is wanted any more, and the other way round", () => {
    const filter = filterOf(memory, [utf8(""), utf8("a")]);
    const actual = taking(filter);
    actual.read(concat(encodeMessage([utf8("b")]), encodeFrame(MORE, utf8("a"))));
    filter.topics.remove(utf8(""));
    actual.read(concat(encodeFrame(0, utf8("end")), encodeFrame(MORE, utf8("c"))));
    filter.topics.add(utf8(""));
    actual.read(concat(encodeFrame(MORE, utf8("c")), encodeFrame(0, utf8("a"))));
    actual.read(encodeMessage([utf8("d")]));
    actual.take();
    const expected = [["b"], ["a", "end"], ["d"]].map((frames) => frames.map(utf8));
    assertMessages(actual.messages, expected);
    actual.receiver.free();
    filter.topics.free();
  });

  it("goes by the topics as they are when a first frame is whole, and again when one is given up", () => {
    const change = fc.record({
      add: fc.boolean(),
      topic: fc.oneof(fc.constant(new Uint8Array(0)), shortTopic),
      size: fc.oneof(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 3_000 })),
    });
    fc.assert(
      fc.property(
        topicStream,
        fc.array(change, { minLength: 1, maxLength: 40 }),
        (stream, changes) => {
          const filter = filterOf(memory, []);
          const actual = taking(filter);
          const model = new TopicsModel();
          // For each message that has begun: is it wanted so far?
          const wanted: boolean[] = [];
          const { messages, begun } = beginnings(stream);
          let at = 0;
          for (let i = 0; at < stream.length; i++) {
            const { add, topic, size } = changes[i % changes.length];
            if (add) {
              filter.topics.add(topic);
              model.add(topic);
            } else if (filter.topics.remove(topic) === 0) {
              actual.inbox.filter((octets) => filter.topics.match(octets));
            }
            if (!add && model.remove(topic) === 0) {
              for (const [j, was] of wanted.entries()) {
                wanted[j] = was &&
                  model.match(begun[j].first);
              }
            }
            actual.read(stream.subarray(at, at + size));
            at += size;
            while (wanted.length < begun.length && begun[wanted.length].end <= at) {
              wanted.push(model.match(begun[wanted.length].first));
            }
          }
          actual.take();
          assertEquals(actual.fault, undefined);
          assertMessages(actual.messages, messages.filter((_, i) => wanted[i]));
          actual.receiver.cut();
          actual.receiver.free();
          filter.topics.free();
        },
      ),
      { numRuns: 200 },
    );
  });

  it("makes nothing for what is not wanted", () => {
    const filter = filterOf(memory, [utf8("a")]);
    const actual = taking(filter);
    let pushed = 0;
    const push = actual.inbox.push.bind(actual.inbox);
    actual.inbox.push = (slab, messages) => {
      pushed += slab.length;
      push(slab, messages);
    };
    const flood = concat(
      ...Array.from({ length: 5_000 }, () => encodeMessage([utf8("b"), pattern(50)])),
    );
    for (let i = 0; i < 5; i++) actual.read(flood);
    assertEquals([pushed, actual.inbox.messages], [0, 0]);
    actual.read(concat(flood, encodeMessage([utf8("a")])));
    assertEquals([pushed, actual.inbox.messages], [3, 1]);
    actual.receiver.free();
    filter.topics.free();
  });

  it("still reads more at once while reads are full, wanted or not", () => {
    const filter = filterOf(memory, []);
    const actual = taking(filter);
    actual.read(concat(...Array.from({ length: 8_000 }, () => encodeMessage([pattern(250)]))));
    assertEquals(actual.receiver.target().length, LARGEST_READ);
    actual.receiver.free();
    filter.topics.free();
  });

  it("ends a peer for a fault behind messages that nobody wants", () => {
    const filter = filterOf(memory, [utf8("a")]);
    const actual = taking(filter);
    actual.read(
      concat(encodeMessage([utf8("b")]), encodeMessage([utf8("a")]), Uint8Array.of(8, 0)),
    );
    actual.take();
    assertEquals(actual.fault, BAD_FLAGS);
    assertMessages(actual.messages, [[utf8("a")]]);
    actual.receiver.free();
    filter.topics.free();
  });
});

describe("Receiver.cut() with a filter", () => {
  it("drops what came of an unfinished message, wanted or not", () => {
    const whole = encodeMessage([utf8("a")]);
    for (const first of ["a", "b"]) {
      const filter = filterOf(memory, [utf8("a")]);
      for (
        const rest of [encodeFrame(MORE, pattern(9)), pattern(0), pattern(3_000).fill(1, 0, 1)]
      ) {
        const actual = taking(filter);
        actual.read(concat(whole, encodeFrame(MORE, utf8(first)), rest));
        actual.receiver.cut();
        actual.receiver.free();
        // The next connection goes on with the same inbox.
        const next = new Taking(-1, LARGEST_READ, memory, actual.inbox, filter);
        next.read(whole);
        next.take();
        assertMessages(next.messages, [[utf8("a")], [utf8("a")]]);
        next.receiver.free();
      }
      filter.topics.free();
    }
  });
});

describe("Receiver in an arena that is enlarged", () => {
  it("carries over what a stream put into the old one, and what was kept", () => {
    const frames = [utf8("a"), pattern(900, 1), pattern(40, 2)];
    const message = encodeMessage(frames);
    for (const at of [0, 1, 2, 5, 13, 14, 500, 914, 915, message.length - 1]) {
      const memory = new CoreMemory();
      const filter = filterOf(memory, [utf8("a")]);
      const actual = taking(filter, memory);
      actual.read(message.subarray(0, at));
      // The stream is given memory, and while it reads the user subscribes and subscribes.
      const target = actual.receiver.target();
      const old = memory.filters.core;
      assert(memory.filters.enlarge());
      assertNotStrictEquals(memory.filters.core, old);
      target.set(message.subarray(at));
      actual.receiver.filled(message.length - at);
      actual.read(message);
      actual.take();
      assertMessages(actual.messages, [frames, frames]);
    }
  });

  it("goes on with a long frame, which has memory of its own", () => {
    const memory = new CoreMemory();
    const filter = filterOf(memory, [utf8("a")]);
    const actual = taking(filter, memory);
    const body = concat(utf8("a"), pattern(100_000));
    const message = encodeMessage([body]);
    actual.read(message.subarray(0, 3_000));
    const target = actual.receiver.target();
    assert(memory.filters.enlarge());
    target.set(message.subarray(3_000, 3_000 + target.length));
    actual.receiver.filled(target.length);
    actual.read(message.subarray(3_000 + target.length));
    actual.read(message);
    actual.take();
    assertMessages(actual.messages, [[body], [body]]);
  });

  it("is enlarged by subscriptions in the middle of a stream, time and again", () => {
    const memory = new CoreMemory();
    const filter = filterOf(memory, [utf8("a")]);
    const others = Array.from({ length: 3 }, () => taking(filter, memory));
    const message = encodeMessage([utf8("a"), pattern(700)]);
    const cores = new Set<unknown>();
    for (let i = 0; i < 300; i++) {
      const actual = others[i % 3];
      const target = actual.receiver.target();
      for (let j = 0; j < 1_200; j++) filter.topics.add(numbered(i * 1_200 + j));
      cores.add(memory.filters.core);
      target.set(message.subarray(0, 200));
      actual.receiver.filled(200);
      actual.read(message.subarray(200));
    }
    assert(cores.size > 1, "there was room for all of them");
    for (const actual of others) {
      actual.take();
      assertEquals(actual.messages.length, 100);
      actual.receiver.free();
    }
    assertEquals(filter.topics.count, 360_001);
  });

  it("finds room for many receivers", () => {
    const memory = new CoreMemory();
    const filter = filterOf(memory, [utf8("a")]);
    const flood = concat(...Array.from({ length: 3_000 }, () => encodeMessage([pattern(250)])));
    const many = Array.from({ length: 60 }, () => taking(filter, memory));
    for (const each of many) each.read(flood);
    for (const each of many) assertEquals(each.receiver.target().length, LARGEST_READ);
    assertLess(8 * 1024 * 1024, memory.filters.core.bytes.length);
    for (const each of many) {
      each.read(encodeMessage([utf8("a")]));
      assertEquals(each.inbox.messages, 1);
      each.receiver.free();
    }
  });
});
