// The fuzzer itself: the same seed makes the same cases, what fails is made simple, and what is printed plays it again.

import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { fromHex, toHex } from "../_util/bytes.ts";
import { CORPUS } from "./corpus.ts";
import { maybeMutate } from "./mutate.ts";
import { readPlainly } from "./reading.ts";
import { type Finding, runPath, runSlice, runTape } from "./slice.ts";
import { readSettings, UsageError } from "./settings.ts";
import { Tape } from "./tape.ts";
import { type AnyTarget, formatInput, restoreInput, type Target } from "./target.ts";
import { EditedWire } from "./wire.ts";

const QUIET = (): void => {};

/** Fails as soon as there is an octet of 7 behind one of 3. */
const broken: Target<{ readonly octets: Uint8Array }> = {
  name: "broken",
  draw: (tape) => ({ octets: tape.octets(tape.below(40)) }),
  check({ octets }) {
    const at = octets.indexOf(3);
    if (at >= 0 && octets.indexOf(7, at) >= 0) throw new TypeError("a trap");
  },
};

async function findingOf(target: AnyTarget, seed = 5): Promise<Finding> {
  const { finding } = await runSlice(target, seed, { until: Infinity, cases: 1e6 }, QUIET);
  assert(finding !== undefined, "nothing was found");
  return finding;
}

describe("the fuzzer", () => {
  it("makes the same case of the same seed, and of the tape that it wrote", () => {
    const [a, b] = [Tape.random(7), Tape.random(7)];
    const [one, other] = [a, b].map((tape) => toHex(maybeMutate(tape, CORPUS[3])));
    assertEquals(one, other);
    assertEquals(toHex(maybeMutate(Tape.of(a.read), CORPUS[3])), one);
  });

  it("makes a failing case as simple as it can be, and says how it is played again", async () => {
    const finding = await findingOf(broken);
    assertEquals(JSON.parse(finding.input), { octets: "hex:0307" });
    assertMatch(finding.error, /TypeError.*a trap/);
    const [, hex] = /--target broken --tape ([0-9a-f]+)$/.exec(finding.replay)!;
    assertEquals((await runTape(broken, hex, QUIET)).finding?.input, finding.input);
  });

  it("does so with the arbitraries of fast-check", async () => {
    const { name, check } = broken;
    const arbitrary = fc.record({ octets: fc.uint8Array() });
    const target: Target<{ readonly octets: Uint8Array }> = { name, arbitrary, check };
    const finding = await findingOf(target);
    assertEquals(JSON.parse(finding.input), { octets: "hex:0307" });
    const [, seed, path] = /--seed (\d+) --path (\S+)$/.exec(finding.replay)!;
    assertEquals((await runPath(target, Number(seed), path, QUIET)).finding?.input, finding.input);
  });

  it("plays the cases before it again where a failure needs them", async () => {
    let count = 0;
    const finding = await findingOf({
      name: "forgetful",
      draw: (tape) => tape.octet(),
      check() {
        if (++count === 12) throw new Error("the twelfth");
      },
    });
    assertMatch(finding.replay, /--seed 5 --cases 12$/);
  });

  it("reports a promise that rejects", async () => {
    const finding = await findingOf({
      name: "late",
      draw: (tape) => tape.octet(),
      check: () => Promise.reject(new Error("too late")),
    });
    assertMatch(finding.error, /too late/);
  });

  it("writes inputs down so that they can be restored", () => {
    const input = { octets: fromHex("00ff"), list: [1, "a", null], deep: { empty: fromHex("") } };
    assertEquals(restoreInput(JSON.parse(formatInput(input))), input);
  });

  it("changes a wire where it was told to, however the octets are cut", () => {
    const edits = [
      { at: 1, drop: 2, insert: fromHex("aabb"), flip: 0 },
      { at: 4, drop: 0, insert: fromHex(""), flip: 0x80 },
    ];
    for (const size of [1, 2, 3, 100]) {
      const wire = new EditedWire(edits);
      let out = "";
      for (let at = 0; at < 6; at += size) {
        out += toHex(wire.pass(fromHex("000102030405").subarray(at, at + size)));
      }
      assertEquals([out, wire.honest], ["00aabb038405", false]);
    }
  });

  it("reads frames plainly, limits and all", () => {
    const octets = fromHex("0101610001620001630403023132");
    const limits = { frame: -1, parts: 2, message: 2 };
    assertEquals(readPlainly(octets, limits).messages.length, 2);
    assertEquals(readPlainly(octets, limits).commands.length, 1);
    assertEquals(readPlainly(octets, { ...limits, message: 1 }).fault, "EMSGSIZE");
    assertEquals(readPlainly(octets, { ...limits, parts: 1 }).fault, "EMSGSIZE");
  });

  it("understands its command line, and says what it does not", () => {
    const { seconds, seed, targets } = readSettings([
      ...["--seconds", "2", "--seed", "9"],
      ...["--target", "links", "filter"],
    ]);
    assertEquals([seconds, seed, targets], [2, 9, ["links", "filter"]]);
    for (const wrong of [["--nonsense"], ["links"], ["--seconds", "-1"], ["--seed", "x"]]) {
      assertThrows(() => readSettings(wrong), UsageError);
    }
  });
});
