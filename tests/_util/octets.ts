// Long runs of octets in tests: made, joined and compared fast, where assertEquals would print megabytes.

import { fail } from "@std/assert";

/** Joins spans of octets. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** Octets that differ from place to place and from one seed to another. */
export function pattern(size: number, seed = 0): Uint8Array<ArrayBuffer> {
  const octets = new Uint8Array(size);
  let state = (Math.imul(seed + 1, 0x9e3779b1) ^ size) >>> 0;
  for (let i = 0; i < size; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    octets[i] = state >>> 24;
  }
  return octets;
}

/** True when both have the same octets. */
export function sameOctets(a: Uint8Array, b: Uint8Array): boolean {
  return firstDifference(a, b) < 0;
}

/** Fails unless both have the same octets, naming the first place where they differ. */
export function assertOctets(actual: Uint8Array, expected: Uint8Array, what = "octets"): void {
  const at = firstDifference(actual, expected);
  if (at < 0) return;
  fail(
    `${what}: ${actual.length} octets instead of ${expected.length}, the first difference at ${at}` +
      ` (${actual[at]} instead of ${expected[at]})`,
  );
}

/** Fails unless both are the same messages. */
export function assertMessages(
  actual: readonly (readonly Uint8Array[])[],
  expected: readonly (readonly Uint8Array[])[],
): void {
  if (actual.length !== expected.length) {
    fail(`${actual.length} messages instead of ${expected.length}`);
  }
  for (const [i, frames] of expected.entries()) {
    if (actual[i].length !== frames.length) {
      fail(`message ${i}: ${actual[i].length} frames instead of ${frames.length}`);
    }
    for (const [j, frame] of frames.entries()) {
      assertOctets(actual[i][j], frame, `message ${i}, frame ${j}`);
    }
  }
}

function firstDifference(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return i;
  return a.length === b.length ? -1 : length;
}
