// The receiver beside the model of a stream: the same messages, commands and faults however the octets are cut, nothing
// believed before it has come, and nothing delivered that changes later.

import { assert, assertEquals, assertLess } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { CoreMemory } from "../../src/core/memory.ts";
import { BODY_LIMIT, COMMAND_LIMIT } from "../../wasm/layout.ts";
import { assertMessages, assertOctets, concat, pattern } from "../_util/octets.ts";
import {
  announce,
  BAD_FLAGS,
  BAD_SIZE,
  COMMAND,
  encodeFrame,
  encodeMessage,
  LONG,
  MORE,
  readStream,
} from "./models/frame_model.ts";
import { badStream, cut, goodStream, reads } from "./models/streams.ts";
import { Taking } from "./models/taking.ts";

const MEGABYTE = 1024 * 1024;
const SLAB = 16 * 1024;

/** Reads a stream in these pieces, taking messages after each read, and compares with the model. */
function compare(stream: Uint8Array, sizes: readonly number[], limit = -1, largest?: number): void {
  const expected = readStream(stream, limit);
  const actual = new Taking(limit, largest, memory);
  let reading = 0;
  for (const piece of cut(stream, sizes)) {
    actual.read(piece);
    if (++reading % 3 === 0) actual.take(2);
  }
  actual.take();
  assertEquals(actual.fault, expected.fault);
  assertMessages(actual.messages, expected.messages);
  assertMessages(actual.messages, actual.copies);
  assertEquals(
    actual.commands.map(({ after }) => after),
    expected.commands.map(({ after }) => after),
  );
  for (const [i, { body }] of expected.commands.entries()) {
    assertOctets(actual.commands[i].body, body, `command ${i}`);
  }
  actual.receiver.cut();
  actual.receiver.free();
}

// One memory for all runs: what one receiver gives back the next one gets, dirty.
const memory = new CoreMemory();

/** Whole, one octet at a time, in a few odd sizes, and with octets left over. */
function compareEveryWay(stream: Uint8Array, limit = -1): void {
  const tail = encodeFrame(0, pattern(1_000)).subarray(0, 700);
  for (const sizes of [[Infinity], [1], [2, 3], [13], [4_096]]) {
    compare(stream, sizes, limit);
    compare(concat(stream, tail), sizes, limit);
  }
}

function faultOf(stream: Uint8Array, limit = -1): string | undefined {
  const taking = new Taking(limit);
  taking.read(stream);
  return taking.fault;
}

describe("Receiver", () => {
  it("gives what the model gives, however the stream is cut", () => {
    fc.assert(fc.property(goodStream, reads, (stream, sizes) => compare(stream, sizes)), {
      numRuns: 120,
    });
  });

  it("gives what the model gives up to a fault, and the same fault", () => {
    fc.assert(fc.property(badStream, reads, (stream, sizes) => compare(stream, sizes)), {
      numRuns: 120,
    });
  });

  it("gives what the model gives under any limit and with small reads", () => {
    fc.assert(
      fc.property(
        goodStream,
        reads,
        fc.oneof(fc.nat(300), fc.nat(40_000)),
        fc.constantFrom(256, 4_096, 8_192),
        (stream, sizes, limit, largest) => compare(stream, sizes, limit, largest),
      ),
      { numRuns: 100 },
    );
  });

  describe("at the borders of the wire format and of its buffers", () => {
    const sizes = [
      0,
      1,
      254,
      255,
      256,
      257,
      1_015,
      1_016,
      1_022,
      1_023,
      1_024,
      1_025,
      4_086,
      4_087,
    ];
    for (const size of [...sizes, 4_088, 4_095, 4_096, 4_097, 16_375, 16_376, 16_384, 16_385]) {
      it(`reads frames of ${size} octets (ZMTP31-FRAME-01, CONN-01)`, () => {
        const frames = [pattern(size, 1), pattern(size, 2), pattern(3, 3)];
        compareEveryWay(concat(encodeMessage(frames), encodeMessage([frames[1]])));
      });
    }

    it("reads the long form of short bodies (ZMTP31-FRAME-07)", () => {
      const short = [0, 1, 5, 255].map((size) => encodeFrame(LONG, pattern(size)));
      compareEveryWay(concat(...short, encodeFrame(LONG | MORE, pattern(2)), ...short));
    });

    it("reads commands of every size between the frames of a message (ZMTP31-CMD-06)", () => {
      const sizes = [1, 255, 256, 1_024, 4_087, 4_088, 4_096, 20_000, COMMAND_LIMIT];
      const pieces = sizes.flatMap((size, i) => [
        encodeFrame(MORE, pattern(i * 50, i)),
        encodeFrame(COMMAND, pattern(size, i)),
      ]);
      compareEveryWay(concat(...pieces, encodeFrame(0, pattern(9))));
    });

    it("reads a message longer than a slab, frame by frame", () => {
      const frames = Array.from({ length: 200 }, (_, i) => pattern(300, i));
      compareEveryWay(concat(encodeMessage(frames), encodeMessage(frames)));
    });
  });

  it("reads bodies above a megabyte", () => {
    const bodies = [pattern(MEGABYTE - 1), pattern(MEGABYTE + 1, 1), pattern(3 * MEGABYTE, 2)];
    const stream = concat(
      encodeFrame(0, pattern(7)),
      encodeMessage(bodies),
      encodeMessage([bodies[0]]),
      encodeFrame(0, pattern(5)),
    );
    compare(stream, [Infinity]);
    compare(stream, [65_536]);
    compare(stream, [100_003, 1, 17]);
  });

  it("delivers nothing of an unfinished message (ZMTP31-MSG-01)", () => {
    const message = encodeMessage([pattern(10), pattern(2_000), pattern(20)]);
    const taking = new Taking();
    for (const octet of message.subarray(0, -1)) {
      taking.read(Uint8Array.of(octet));
      assertEquals(taking.inbox.messages, 0);
    }
    taking.read(message.subarray(-1));
    assertEquals(taking.inbox.messages, 1);
  });

  it("pins at most 16 kB for a short frame that is kept, however much is read at once", () => {
    const taking = new Taking();
    const many = concat(...Array.from({ length: 4_000 }, (_, i) => encodeFrame(0, pattern(90, i))));
    for (let i = 0; i < 3; i++) taking.read(many);
    taking.take();
    assertEquals(taking.messages.length, 12_000);
    for (const [frame] of taking.messages) assert(frame.buffer.byteLength <= SLAB);
  });

  it("reads more at once while reads are full, and less when they are not", () => {
    const taking = new Taking();
    assertEquals(taking.receiver.target().length, 4_096);
    const frame = encodeFrame(0, pattern(254));
    for (let i = 0; i < 8_000; i++) taking.read(frame);
    assertEquals(taking.receiver.target().length, 4_096, "reads that do not fill it");
    const many = concat(...Array.from({ length: 4_096 }, () => frame));
    taking.read(many);
    taking.read(many);
    assertEquals(taking.receiver.target().length, 256 * 1024);
    for (let i = 0; i < 64 * 6; i++) taking.read(frame);
    assertEquals(taking.receiver.target().length, 4_096);
  });

  it("reads no more at once than it was allowed", () => {
    const taking = new Taking(-1, 8_192);
    const many = concat(
      ...Array.from({ length: 1_000 }, (_, i) => encodeFrame(0, pattern(200, i))),
    );
    taking.read(many);
    assertEquals(taking.receiver.target().length, 8_192);
  });

  it("gives back each region that it outgrew", () => {
    const memory = new CoreMemory();
    const first = memory.allocate(4_096);
    const many = concat(
      ...Array.from({ length: 5_000 }, (_, i) => encodeFrame(0, pattern(254, i))),
    );
    for (let i = 0; i < 60; i++) {
      const taking = new Taking(-1, undefined, memory);
      taking.read(many);
      assertEquals(taking.receiver.target().length, 256 * 1024);
      taking.receiver.cut();
      taking.receiver.free();
    }
    assertEquals(
      memory.allocate(256 * 1024).arena === first.arena,
      true,
      "another arena was opened",
    );
  });
});

describe("Receiver's limits", () => {
  it("refuses a body of 2^63 octets or more without taking memory (ZMTP31-FRAME-05)", () => {
    for (const size of [2n ** 63n, 2n ** 64n - 1n]) {
      assertRefused(announce(0, size));
      assertRefused(announce(COMMAND, size));
    }
  });

  it("refuses bodies above 2147483647 octets without taking memory (ZMTP31-FRAME-09)", () => {
    for (const size of [BigInt(BODY_LIMIT) + 1n, 2n ** 32n, 2n ** 53n, 2n ** 63n - 1n]) {
      assertRefused(announce(MORE, size));
    }
    assertEquals(faultOf(announce(0, BigInt(BODY_LIMIT))), undefined);
  });

  it("refuses a command above 65536 octets without taking memory (ZMTP31-FRAME-09)", () => {
    assertRefused(announce(COMMAND, BigInt(COMMAND_LIMIT) + 1n));
    assertEquals(faultOf(announce(COMMAND, BigInt(COMMAND_LIMIT))), undefined);
  });

  it("refuses frames above the caller's limit, the short form too (ZMTP31-FRAME-09)", () => {
    for (const limit of [0, 1, 100, 255, 256, 5_000]) {
      assertEquals(faultOf(encodeFrame(MORE, pattern(limit)), limit), undefined);
      assertRefused(encodeFrame(MORE, pattern(limit + 1)), limit);
    }
  });

  it("names the size and the limit in its error", () => {
    const taking = new Taking(100);
    const { receiver } = taking;
    const frame = announce(0, 2n ** 40n);
    receiver.target().set(frame);
    let message = "";
    try {
      receiver.filled(frame.length);
    } catch (error) {
      message = (error as Error).message;
    }
    assert(message.includes("1099511627776") && message.includes("100"), message);
  });

  it("takes a megabyte at most for a gigabyte that is announced and does not come (ZMTP31-FRAME-09)", () => {
    const taking = new Taking();
    taking.read(announce(0, 2n ** 30n));
    assert(taking.receiver.target().buffer.byteLength <= MEGABYTE + 9);
    taking.read(pattern(1_000));
    assert(taking.receiver.target().buffer.byteLength <= MEGABYTE + 9);
    assertEquals(taking.memory.allocate(64).arena.core.bytes.length < 16 * MEGABYTE, true);
  });

  it("believes a long body only as far as it has come", () => {
    const taking = new Taking();
    taking.read(announce(0, 2n ** 30n));
    const piece = pattern(100_000);
    let come = 9;
    for (let i = 0; i < 50; i++) {
      taking.read(piece);
      come += piece.length;
      assert(taking.receiver.target().buffer.byteLength <= 2 * come + MEGABYTE);
    }
  });

  it("gives back a long slab when the connection ends", () => {
    const taking = new Taking();
    taking.read(announce(0, 2n ** 30n));
    taking.receiver.cut();
    assertLess(taking.receiver.target().length, 4_097);
  });

  it("refuses bad flags after the first two octets (ZMTP31-FRAME-02, ZMTP31-FRAME-04)", () => {
    assertEquals(faultOf(Uint8Array.of(8, 0)), BAD_FLAGS);
    assertEquals(faultOf(Uint8Array.of(5, 0)), BAD_FLAGS);
  });

  it("delivers the messages before a fault, in one read or many (ZMTP31-MSG-01)", () => {
    const good = encodeMessage([pattern(5), pattern(6)]);
    const stream = concat(good, good, Uint8Array.of(0xff, 0, 0, 0, 0, 0, 0, 0, 0));
    for (const sizes of [[Infinity], [1], [7], [good.length]]) compare(stream, sizes);
  });
});

function assertRefused(octets: Uint8Array, limit = -1): void {
  const taking = new Taking(limit);
  const region = taking.receiver.target().buffer;
  for (const octet of octets) taking.read(Uint8Array.of(octet));
  assertEquals(taking.fault, BAD_SIZE);
  assertEquals(taking.receiver.target().buffer, region, "memory was taken");
  taking.take();
  assertEquals(taking.messages, []);
}

describe("Receiver.cut()", () => {
  it("drops what came of an unfinished message, and nothing else (CONN-06)", () => {
    const frames = [pattern(5, 1), pattern(300, 2)];
    const whole = encodeMessage(frames);
    const broken = encodeMessage([pattern(9, 3), pattern(20_000, 4), pattern(400, 5)]);
    fc.assert(
      fc.property(
        fc.nat(3),
        fc.nat(2),
        fc.nat(broken.length - 1),
        reads,
        (before, taken, length, sizes) => {
          const first = new Taking(-1, undefined, memory);
          for (let i = 0; i < before; i++) first.read(whole);
          first.take(taken);
          for (const piece of cut(broken.subarray(0, length), sizes)) first.read(piece);
          first.receiver.cut();
          first.receiver.free();
          assertEquals(first.inbox.messages, Math.max(0, before - taken));
          // The next connection goes on with the same inbox.
          const next = new Taking(-1, undefined, memory, first.inbox);
          for (const piece of cut(whole, sizes)) next.read(piece);
          next.take();
          next.receiver.free();
          const received = [...first.messages, ...next.messages];
          assertMessages(received, Array.from({ length: before + 1 }, () => frames));
        },
      ),
      { numRuns: 150 },
    );
  });
});
