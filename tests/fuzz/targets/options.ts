// Socket options set to anything: the value is kept as it is read again, or refused without a trace.

import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { checkOption, defaultOptions } from "../../../src/option_values.ts";
import type { OptionName } from "../../../src/options.ts";
import { checkArgumentError, type Target } from "../target.ts";

interface Input {
  readonly name: OptionName;
  readonly value: unknown;
}

const NAMES = Object.keys(defaultOptions()) as OptionName[];
const TEXTS = [
  "",
  "x".repeat(255),
  "x".repeat(256),
  "é".repeat(128),
  "allSubs",
  "refused",
  "10.0.0.0/8",
  "::1/129",
  "127.0.0.1:1080",
  "[::1]:70000",
  "\0",
  "0".repeat(40),
  "\ud800",
];

const value: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(...TEXTS),
  fc.integer(),
  fc.constantFrom<unknown>(-1, 0, 1, 255, 2 ** 31 - 1, 2 ** 31, 2 ** 53, 0.5, true, false, null),
  fc.uint8Array({ maxLength: 300 }),
  fc.array(fc.constantFrom<unknown>(...TEXTS, 1, null), { maxLength: 3 }),
  fc.dictionary(fc.constantFrom("X-a", "X-", "a", "__proto__"), fc.constantFrom("", "b", 1)),
  fc.string({ unit: "binary" }),
);

export const options: Target<Input> = {
  name: "options",
  arbitrary: fc.record({ name: fc.constantFrom(...NAMES), value }),
  check({ name, value }) {
    let kept: unknown;
    try {
      kept = checkOption(name, value);
    } catch (error) {
      return checkArgumentError(error);
    }
    // What was kept is a value for that option.
    assertEquals(checkOption(name, kept), kept);
  },
};
