// What the fuzzer found, and inputs that are known to be hard, played again; and a few cases of every target, always the same.

import { assertEquals, assertNotStrictEquals } from "@std/assert";
import { after, describe, it } from "@std/testing/bdd";
import findings from "./findings.json" with { type: "json" };
import { runSlice } from "./slice.ts";
import { restoreInput } from "./target.ts";
import { TARGETS } from "./targets.ts";

/** Over real connections cases take longer. */
const FEW = ["tcp", "tcp-proxy"];
const SEED = 1;

function targetOf(name: string): (typeof TARGETS)[number] {
  const target = TARGETS.find((each) => each.name === name);
  assertNotStrictEquals(target, undefined, `no target is called ${name}`);
  return target!;
}

describe("what fuzzing found", () => {
  after(async () => {
    for (const { end } of TARGETS) await end?.();
  });

  for (const { id, target, wrong, inputs } of findings) {
    it(`${id} (${target}): ${wrong}`, async () => {
      for (const input of inputs) await targetOf(target).check(restoreInput(input));
    });
  }

  for (const target of TARGETS) {
    it(`nothing in a few cases of ${target.name}`, async () => {
      const cases = FEW.includes(target.name) ? 2 : 6;
      const { finding } = await runSlice(target, SEED, { until: Infinity, cases }, () => {});
      assertEquals(finding, undefined);
    });
  }
});
