// Random WebSocket streams for fast-check: messages whole and in fragments with control frames between them, and faults.

import fc from "fast-check";
import { toHex } from "../../_util/bytes.ts";
import { concat, pattern } from "../../_util/octets.ts";
import { size } from "./streams.ts";
import { CONTINUATION, encodeWeb, encodeWebMessage, FIN, type Rules } from "./websocket_model.ts";

interface Piece {
  readonly control: number;
  readonly flags: number;
  readonly size: number;
  readonly sizes: readonly number[];
  readonly seed: number;
}

const piece: fc.Arbitrary<Piece> = fc.record({
  control: fc.constantFrom(0, 0, 0, 0, 8, 9, 10),
  flags: fc.constantFrom(0, 0, 0, 1, 2),
  size,
  sizes: fc.oneof(
    { weight: 4, arbitrary: fc.constant<number[]>([]) },
    { weight: 1, arbitrary: fc.array(fc.oneof(fc.nat(3), fc.nat(5000)), { maxLength: 4 }) },
  ),
  seed: fc.nat(255),
});

/** A mask key, where there must be one. */
function keyOf(rules: Rules, seed: number): Uint8Array | undefined {
  return rules.masked ? pattern(4, seed) : undefined;
}

function encode({ control, flags, size, sizes, seed }: Piece, rules: Rules): Uint8Array {
  const key = keyOf(rules, seed);
  if (control > 0) return encodeWeb(FIN | control, pattern(size % 126, seed), { key });
  const command = flags === 2 && rules.commands;
  const body = pattern(command ? Math.min(size, 65_536) : size, seed);
  return encodeWebMessage(command ? 2 : flags & 1, body, key, sizes);
}

/** Rules of either side. */
export const rules: fc.Arbitrary<Rules> = fc.record({
  masked: fc.boolean(),
  commands: fc.boolean(),
  limit: fc.oneof(fc.constant(-1), fc.constant(-1), fc.nat(300), fc.nat(70_000)),
});

/** What no peer may send, or what only looks so: enough follows for a header. */
function fault(rules: Rules): fc.Arbitrary<Uint8Array> {
  const key = keyOf(rules, 7);
  const other = rules.masked ? undefined : pattern(4, 8);
  const body = pattern(200, 9);
  return fc.oneof(
    fc.uint8Array({ minLength: 2, maxLength: 14 }),
    fc.integer({ min: 0, max: 255 }).map((first) => encodeWeb(first, body.subarray(0, 3), { key })),
    fc.constantFrom(0x82, 0x89).map((first) => encodeWeb(first, body, { key: other })),
    fc.constantFrom(0x88, 0x89, 0x8a).map((first) => encodeWeb(first, body, { key })),
    fc.constantFrom(2, 8).map((field) => encodeWeb(0x82, body.subarray(0, 125), { key, field })),
    fc.bigInt({ min: 2n ** 31n, max: 2n ** 64n - 1n }).map((length) =>
      encodeWeb(0x82, body, { key, field: 8, length })
    ),
    fc.integer({ min: 2, max: 255 }).map((flags) => encodeWebMessage(flags, body, key)),
    fc.constant(encodeWeb(0x82, body.subarray(0, 0), { key })),
    fc.constant(
      concat(
        encodeWeb(2, body.subarray(0, 0), { key }),
        encodeWeb(FIN | CONTINUATION, body, { key }),
      ),
    ),
  );
}

/** A stream, and what its frames are to be like. */
export interface WebStream {
  readonly octets: Uint8Array;
  readonly rules: Rules;
}

function described(octets: Uint8Array): Uint8Array {
  return Object.defineProperty(octets, fc.toStringMethod, {
    value: () => `${octets.length} octets: ${toHex(octets.subarray(0, 400))}`,
  });
}

/** A stream that mostly holds to the rules, but for the limit. */
export const webStream: fc.Arbitrary<WebStream> = fc.tuple(
  rules,
  fc.array(piece, { maxLength: 40 }),
).map(([rules, pieces]) => ({
  rules,
  octets: described(concat(...pieces.map((each) => encode(each, rules)))),
}));

/** One that goes wrong somewhere. */
export const brokenWebStream: fc.Arbitrary<WebStream> = webStream.chain(({ octets, rules }) =>
  fc.tuple(fault(rules), fc.uint8Array({ maxLength: 40 })).map(([bad, tail]) => ({
    rules,
    octets: described(concat(octets, bad, tail)),
  }))
);
