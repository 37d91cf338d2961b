// The core's `scan` beside its model: every word it leaves must be what the model says, for any octets.

import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { Core } from "../../src/core/instance.ts";
import {
  BODY_LIMIT,
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
  SCAN_NEED,
  SCAN_NEXT,
  SCAN_PARTS,
  SCAN_RUNS,
  SCAN_SIZE,
  SCAN_TABLE,
  SCAN_TOTAL,
} from "../../wasm/layout.ts";
import { concat, pattern } from "../_util/octets.ts";
import {
  announce,
  COMMAND,
  encodeFrame,
  LONG,
  MORE,
  type Scan,
  type ScanLimits,
  scanOnce,
  type ScanState,
  UNLIMITED,
} from "./models/frame_model.ts";
import { badStream, goodStream } from "./models/streams.ts";

const CAPACITY = 4 * 1024 * 1024;
const SLAB = 16 * 1024;
const STATUS: Readonly<Record<number, Scan["status"]>> = {
  [SCAN_DONE]: "done",
  [SCAN_COMMAND]: "command",
  [SCAN_AGAIN]: "again",
  [SCAN_BAD_FLAGS]: "bad flags",
  [SCAN_BAD_SIZE]: "bad size",
  [SCAN_BAD_PARTS]: "bad parts",
  [SCAN_BAD_TOTAL]: "bad total",
};

const core = new Core();
const base = core.exports.alloc(CAPACITY);
core.refresh();

/** Has the core scan what was put at `base`. */
function scan(
  { at, parts, octets }: ScanState,
  end: number,
  limits: ScanLimits,
  slab: number,
): Scan {
  const { frame, parts: most, message } = limits;
  const status = STATUS[
    core.exports.scan(base + at, base + end, parts, octets, frame, most, message, slab)
  ];
  const word = (index: number): number => core.words[(RESULTS >> 2) + index];
  const runs: [number, number, number][] = [];
  for (let i = 0; i < word(SCAN_RUNS); i++) {
    const row = SCAN_TABLE + i * RUN_WORDS;
    runs.push([word(row) - base, word(row + 1), word(row + 2)]);
  }
  return {
    status,
    next: word(SCAN_NEXT) - base,
    parts: word(SCAN_PARTS),
    octets: word(SCAN_TOTAL),
    need: word(SCAN_NEED),
    runs,
    command: status === "command" ? [word(SCAN_BODY) - base, word(SCAN_SIZE)] : undefined,
  };
}

/** Scans to the end, comparing each answer; the answers. */
function scanAll(octets: Uint8Array, limits: Partial<ScanLimits> = {}, slab = SLAB): Scan[] {
  core.bytes.set(octets, base);
  const answers: Scan[] = [];
  const all = { ...UNLIMITED, ...limits };
  let state: ScanState = { at: 0, parts: 0, octets: 0 };
  for (;;) {
    const expected = scanOnce(octets, state, all, slab, RUN_LIMIT);
    const actual = scan(state, octets.length, all, slab);
    assertEquals(actual, expected);
    answers.push(actual);
    state = { at: actual.next, parts: actual.parts, octets: actual.octets };
    if (actual.status !== "command" && actual.status !== "again") return answers;
  }
}

function statuses(octets: Uint8Array, frame = -1): string[] {
  return scanAll(octets, { frame }).map(({ status }) => status);
}

describe("scan()", () => {
  it("answers as its model for any stream cut anywhere", () => {
    fc.assert(
      fc.property(
        goodStream,
        fc.nat(),
        fc.constantFrom(1, 100, 2_000, SLAB),
        (stream, cut, slab) => {
          scanAll(
            stream.subarray(0, stream.length === 0 ? 0 : cut % (stream.length + 1)),
            {},
            slab,
          );
        },
      ),
      { numRuns: 150 },
    );
  });

  it("answers as its model for streams with a fault", () => {
    fc.assert(fc.property(badStream, (stream) => void scanAll(stream)), { numRuns: 150 });
  });

  it("answers as its model under any limit", () => {
    fc.assert(
      fc.property(
        fc.oneof(goodStream, badStream),
        fc.oneof(fc.integer({ min: -1, max: 300 }), fc.nat(20_000), fc.constant(2 ** 53 - 1)),
        fc.integer({ min: 1, max: 20 }),
        fc.nat(20_000),
        (stream, frame, parts, message) => {
          scanAll(stream, { frame });
          scanAll(stream, { parts });
          scanAll(stream, { frame, parts, message });
        },
      ),
      { numRuns: 150 },
    );
  });

  it("counts the parts and octets of a message, also of one that is not complete", () => {
    const part = encodeFrame(MORE, pattern(300));
    const last = encodeFrame(0, pattern(300));
    const message = concat(part, part, last);
    const command = encodeFrame(COMMAND, pattern(5));
    const rows: [Uint8Array, Partial<ScanLimits>, string][] = [
      [concat(message, message), { parts: 3, message: 900 }, "done"],
      [concat(part, command, part, command, last), { parts: 3, message: 900 }, "done"],
      [concat(message, message), { parts: 2 }, "bad parts"],
      [concat(message, message), { message: 899 }, "bad total"],
      [concat(part, part, part), { parts: 2 }, "bad parts"],
      // The header alone says it.
      [concat(part, part, last.subarray(0, 9)), { message: 899 }, "bad total"],
      [last.subarray(0, 9), { message: 299 }, "bad total"],
      [last, { message: 300, parts: 1 }, "done"],
    ];
    for (const [octets, limits, expected] of rows) {
      assertEquals(scanAll(octets, limits).at(-1)!.status, expected);
    }
  });

  it("answers as its model for random octets", () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof({ weight: 3, arbitrary: fc.nat(6) }, fc.nat(255)), { minLength: 9 }),
        (octets) => {
          // A header that is wrong may be told before it is complete: the model waits for all of it.
          scanAll(concat(Uint8Array.from(octets), new Uint8Array(600)));
        },
      ),
      { numRuns: 300 },
    );
  });

  it("goes on from a full table", () => {
    const stream = concat(
      ...Array.from({ length: 4_000 }, (_, i) => encodeFrame(0, pattern(3, i))),
    );
    const answers = scanAll(stream, {}, 5);
    assertEquals(answers.map(({ status }) => status), ["again", "again", "again", "done"]);
    assertEquals(answers.flatMap(({ runs }) => runs).length, 1_000);
  });

  it("cuts a stream of short frames into slabs of at most 16 kB", () => {
    const stream = concat(
      ...Array.from({ length: 2_000 }, (_, i) => encodeFrame(0, pattern(97, i))),
    );
    const [{ runs }] = scanAll(stream);
    assertEquals(runs.reduce((sum, [, size]) => sum + size, 0), stream.length);
    assertEquals(runs.every(([, size]) => size <= SLAB), true);
    assertEquals(runs.slice(0, -1).every(([, size]) => size > SLAB - 99), true);
  });

  it("lets a run be as long as four of the frame that ends it, 64 kB at most", () => {
    const sizesOf = (...bodies: number[]): number[] => {
      const [{ runs }] = scanAll(concat(...bodies.map((size) => encodeFrame(0, pattern(size)))));
      return runs.map(([, size]) => size);
    };
    const long = 16_375; // 16 kB with its header
    assertEquals(sizesOf(SLAB, 1), [SLAB + 9, 3]);
    assertEquals(sizesOf(1, SLAB, 1), [3 + SLAB + 9, 3]);
    assertEquals(sizesOf(long, long, long, long, long), [65_536, 16_384]);
    assertEquals(sizesOf(long, 4_000, 4_087), [16_384, 4_009 + 4_096]);
    assertEquals(sizesOf(100_000, 100_000), [100_009, 100_009]);
  });

  it("refuses every flag but the six valid ones (ZMTP31-FRAME-02, ZMTP31-FRAME-04)", () => {
    for (let flags = 0; flags < 256; flags++) {
      if ([0, 1, 2, 3, 4, 6].includes(flags)) continue;
      assertEquals(statuses(Uint8Array.of(flags, 0, 0, 0, 0, 0, 0, 0, 0)), ["bad flags"]);
    }
  });

  it("accepts the six valid flags (ZMTP31-FRAME-03)", () => {
    for (const flags of [0, MORE, LONG, LONG | MORE]) {
      assertEquals(statuses(encodeFrame(flags, pattern(1))), ["done"]);
    }
    for (const flags of [COMMAND, COMMAND | LONG]) {
      assertEquals(statuses(encodeFrame(flags, pattern(1))), ["command", "done"]);
    }
  });

  it("refuses sizes with the top bit set (ZMTP31-FRAME-05)", () => {
    for (const size of [2n ** 63n, 2n ** 64n - 1n]) {
      assertEquals(statuses(announce(0, size)), ["bad size"]);
      assertEquals(statuses(announce(COMMAND, size)), ["bad size"]);
    }
  });

  it("refuses sizes above 2147483647 (ZMTP31-FRAME-09)", () => {
    assertEquals(statuses(announce(0, BigInt(BODY_LIMIT))), ["done"]);
    assertEquals(scanAll(announce(MORE, BigInt(BODY_LIMIT)))[0].need, BODY_LIMIT + 9);
    for (const size of [BigInt(BODY_LIMIT) + 1n, 2n ** 32n, 2n ** 53n, 2n ** 63n - 1n]) {
      assertEquals(statuses(announce(0, size)), ["bad size"]);
    }
  });

  it("applies the limit to each frame (ZMTP31-FRAME-10)", () => {
    const message = concat(encodeFrame(MORE, pattern(300)), encodeFrame(0, pattern(300)));
    assertEquals(statuses(message, 300), ["done"]);
    assertEquals(statuses(message, 299), ["bad size"]);
    assertEquals(statuses(Uint8Array.of(0, 1, 7), 0), ["bad size"]);
    assertEquals(statuses(Uint8Array.of(0, 0), 0), ["done"]);
  });

  it("lets commands be longer than the limit of messages, up to 65536 octets", () => {
    assertEquals(statuses(encodeFrame(COMMAND, pattern(400)), 10), ["command", "done"]);
    assertEquals(statuses(announce(COMMAND, 65_536n)), ["done"]);
    assertEquals(statuses(announce(COMMAND, 65_537n)), ["bad size"]);
  });

  it("finds commands between the frames of a message (ZMTP31-CMD-06)", () => {
    const command = encodeFrame(COMMAND, pattern(5));
    const stream = concat(encodeFrame(MORE, pattern(1)), command, encodeFrame(0, pattern(2)));
    const answers = scanAll(stream);
    assertEquals(answers.map(({ status, parts }) => [status, parts]), [
      ["command", 1],
      ["done", 0],
    ]);
    assertEquals(answers[1].runs.map(([, , messages]) => messages), [1]);
  });

  it("keeps the whole frames before a fault", () => {
    const good = encodeFrame(0, pattern(20));
    for (const fault of [Uint8Array.of(9, 0), announce(0, 2n ** 62n)]) {
      const [{ runs, next }] = scanAll(concat(good, good, fault));
      assertEquals(runs, [[0, 2 * good.length, 2]]);
      assertEquals(next, 2 * good.length);
    }
  });

  it("tells how long the unfinished frame is once its header is complete", () => {
    const frame = encodeFrame(0, pattern(256));
    for (let size = 0; size < frame.length; size++) {
      const [{ need, next }] = scanAll(frame.subarray(0, size));
      assertEquals([need, next], [size < 9 ? 0 : 265, 0]);
    }
  });
});
