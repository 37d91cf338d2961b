// Bytes in tests: text and hex to arrays and back, and frames compared by content alone.

import { assertEquals } from "@std/assert";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** UTF-8 of a text. */
export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** The text that the bytes are in UTF-8. */
export function textOf(bytes: Uint8Array): string {
  return decoder.decode(bytes);
}

/** The texts that the frames of a message are. */
export function textsOf(frames: readonly Uint8Array[]): string[] {
  return frames.map(textOf);
}

/** Bytes of a hex text; white space is ignored. */
export function fromHex(hex: string): Uint8Array {
  const digits = hex.replaceAll(/\s/g, "");
  return Uint8Array.from(
    { length: digits.length / 2 },
    (_, i) => Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16),
  );
}

/** Hex text of the bytes. */
export function toHex(bytes: Uint8Array): string {
  let hex = "";
  for (const byte of bytes) hex += byte.toString(16).padStart(2, "0");
  return hex;
}

/** Fails unless both messages have the same frames; a frame's class does not matter. */
export function assertFrames(
  actual: readonly Uint8Array[],
  expected: readonly (Uint8Array | string)[],
  msg?: string,
): void {
  const bytes = expected.map((frame) => typeof frame === "string" ? utf8(frame) : frame);
  assertEquals(actual.map(toHex), bytes.map(toHex), msg);
}
