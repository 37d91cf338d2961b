// An outbox beside its model, whatever is appended, taken, written, rewound, cleared and drained.

import fc from "fast-check";
import { CoreMemory } from "../../../src/core/memory.ts";
import { body, type Part, part, Twins } from "../../core/models/outbox_twins.ts";
import type { Target } from "../target.ts";

type Step =
  | readonly ["append", readonly Part[]]
  | readonly ["appendSpan", readonly Uint8Array[]]
  | readonly ["appendCommand", Uint8Array]
  | readonly ["take" | "write", number]
  | readonly ["rewind" | "trim" | "clear" | "drain"];

const { outboxes } = new CoreMemory();

function step<K extends Step[0], A>(kind: K, argument: fc.Arbitrary<A>): fc.Arbitrary<Step> {
  return argument.map((value) => [kind, value] as unknown as Step);
}

const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: step("append", fc.array(part, { minLength: 1, maxLength: 4 })) },
    { weight: 2, arbitrary: step("appendSpan", fc.array(body, { minLength: 1, maxLength: 4 })) },
    { weight: 1, arbitrary: step("appendCommand", fc.uint8Array({ maxLength: 300 })) },
    { weight: 5, arbitrary: step("take", fc.constantFrom(1, 100, 4_000, 100_000, 262_144)) },
    {
      weight: 6,
      arbitrary: step(
        "write",
        fc.oneof(fc.nat(20), fc.nat(5_000), fc.nat(300_000), fc.constant(1e9)),
      ),
    },
    {
      weight: 3,
      arbitrary: fc.constantFrom<Step>(["rewind"], ["rewind"], ["trim"], ["clear"], ["drain"]),
    },
  ),
  { maxLength: 60, size: "max" },
);

function play(twins: Twins, [kind, argument]: Step): void {
  switch (kind) {
    case "append":
      return void twins.append(argument);
    case "appendSpan":
      return void twins.appendSpan(argument);
    case "appendCommand":
      return void twins.appendCommand(argument);
    case "take":
      return twins.take(argument);
    case "write":
      return twins.write(argument);
  }
  twins[kind]();
}

export const outbox: Target<readonly Step[]> = {
  name: "outbox",
  arbitrary: steps,
  check(steps) {
    const twins = new Twins(outboxes);
    for (const each of steps) play(twins, each);
    twins.finish();
    twins.box.free();
    if (outboxes.bytes.length > 256 * 1024 * 1024) throw new Error("memory was lost");
  },
};
