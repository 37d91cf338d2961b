// Random streams of frames for fast-check: messages of several frames with commands anywhere between them, whole or with
// a fault somewhere, and ways to cut a stream into reads.

import fc from "fast-check";
import { concat, pattern } from "../../_util/octets.ts";
import { announce, COMMAND, encodeFrame, LONG, MORE } from "./frame_model.ts";

/** Sizes around every border: header forms, a quarter of a region, regions, slabs. */
const BORDERS = [255, 1015, 1024, 4087, 4096, 8192, 16_384, 65_536];

/** The size of a body; small ones are the rule. */
export const size: fc.Arbitrary<number> = fc.oneof(
  { weight: 8, arbitrary: fc.nat(40) },
  { weight: 3, arbitrary: fc.integer({ min: 240, max: 270 }) },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.constantFrom(...BORDERS), fc.integer({ min: -10, max: 10 })).map((
      [border, offset],
    ) => border + offset),
  },
  { weight: 1, arbitrary: fc.nat(40_000) },
);

interface Piece {
  readonly command: boolean;
  readonly long: boolean;
  readonly size: number;
  readonly last: boolean;
}

const piece: fc.Arbitrary<Piece> = fc.record({
  command: fc.nat(7).map((n) => n === 0),
  long: fc.nat(5).map((n) => n === 0),
  size,
  last: fc.nat(2).map((n) => n > 0),
});

/** A stream of valid frames. */
export const goodStream: fc.Arbitrary<Uint8Array> = fc.array(piece, { maxLength: 60 }).map(
  (pieces) =>
    named(concat(...pieces.map(encodePiece)), `frames ${pieces.map(describePiece).join(" ")}`),
);

/** Octets that a counterexample shows by their description. */
function named(octets: Uint8Array, description: string): Uint8Array {
  return Object.defineProperty(octets, fc.toStringMethod, { value: () => description });
}

function describePiece({ command, long, size, last }: Piece): string {
  return `${command ? "C" : last ? "" : "M"}${long ? "L" : ""}${size}`;
}

function encodePiece({ command, long, size, last }: Piece, index: number): Uint8Array {
  const kind = command ? COMMAND : last ? 0 : MORE;
  return encodeFrame(kind | (long ? LONG : 0), pattern(Math.min(size, 65_536), index));
}

/** Octets that no valid frame begins with. Enough follows for a whole header. */
const fault: fc.Arbitrary<Uint8Array> = fc.oneof(
  fc.integer({ min: 8, max: 255 }).map((flags) => Uint8Array.of(flags)),
  fc.constantFrom(5, 7).map((flags) => Uint8Array.of(flags)),
  fc.tuple(fc.constantFrom(0, MORE), fc.bigInt({ min: 2n ** 31n, max: 2n ** 64n - 1n })).map((
    [flags, size],
  ) => announce(flags, size)),
  fc.bigInt({ min: 65_537n, max: 2n ** 64n - 1n }).map((size) => announce(COMMAND, size)),
);

/** A stream that goes wrong somewhere. */
export const badStream: fc.Arbitrary<Uint8Array> = fc.tuple(
  goodStream,
  fault,
  fc.uint8Array({ minLength: 9, maxLength: 40 }),
).map(([good, fault, tail]) =>
  named(
    concat(good, fault, tail),
    `${fc.stringify(good)}, then ${fc.stringify(fault)} and ${fc.stringify(tail)}`,
  )
);

/** The sizes of reads, used in turn. */
export const reads: fc.Arbitrary<readonly number[]> = fc.oneof(
  fc.constant([1]),
  fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 5 }),
  fc.array(fc.integer({ min: 1, max: 5_000 }), { minLength: 1, maxLength: 5 }),
  fc.array(fc.integer({ min: 1, max: 300_000 }), { minLength: 1, maxLength: 5 }),
);

/** The pieces of a stream as reads of these sizes give them. */
export function* cut(stream: Uint8Array, sizes: readonly number[]): Generator<Uint8Array> {
  let at = 0;
  for (let i = 0; at < stream.length; i++) {
    const size = sizes[i % sizes.length];
    yield stream.subarray(at, at + size);
    at += size;
  }
}
