// The cluster simulation, small and short, as a user runs it.

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Histogram } from "../../examples/apps/cluster/histogram.ts";
import { parseOptions } from "../../examples/apps/cluster/options.ts";
import { commandFor, Program } from "../_util/process.ts";

const WAIT_MS = 50_000;

async function simulate(...args: string[]): Promise<string> {
  const program = new Program(commandFor("../../examples/apps/cluster/main.ts", args));
  try {
    return await program.succeeds(WAIT_MS);
  } catch (error) {
    throw new Error(`it printed\n${program.output}${program.errors}`, { cause: error });
  }
}

function totals(story: string, pattern: RegExp): number[] {
  return [...story.matchAll(pattern)].map(([, number]) => Number(number));
}

describe("the cluster simulation", () => {
  it("loses nothing though workers crash, and moves work to other clusters", async () => {
    const story = await simulate(
      ...["--seconds", "3", "--warm-up", "0", "--clients", "20", "--rate", "10"],
      ...["--workers", "1", "--crashes", "1", "--sustained", "0"],
    );
    assertStringIncludes(story, "GOOD: every request was answered, and once");
    assertMatch(story, /^all: \d+ requests\/s of 600; p50 [\d.]+ ms, .* p99 [\d.]+ ms/m);
    assertEquals(totals(story, /(\d+) lost/g), [0, 0, 0], story);
    assertEquals(totals(story, /(\d+) wrong/g), [0, 0, 0], story);
    const [fromOslo] = totals(story, /by other clusters (\d+)/g);
    assert(fromOslo > 0, story);
    const [, rome, lima] = totals(story, /for other clusters (\d+)/g);
    assert(rome + lima > 0, story);
    assert(totals(story, /(\d+) crashes/g)[0] > 0, story);
    assertMatch(story, /^ +\d+ s {2}oslo \d+\/s p50 /m);
  });

  it("counts latencies to within three per cent", () => {
    const histogram = new Histogram();
    for (let i = 1; i <= 10_000; i++) histogram.add(i);
    for (const share of [0.001, 0.5, 0.9, 0.99, 0.999, 1]) {
      const error = histogram.quantile(share) / (10_000 * share);
      assert(error >= 1 && error < 1.035, `${share}: ${error}`);
    }
    const other = new Histogram();
    other.merge(histogram.take());
    assertEquals([histogram.total, other.total, histogram.quantile(0.5)], [0, 10_000, 0]);
    other.add(1e9);
    assert(other.quantile(1) >= 1e9);
  });

  it("says what it does not understand", () => {
    assertEquals(parseOptions(["--rate=5", "--transport", "tcp"]).rate, 5);
    for (const args of [["--speed", "5"], ["--rate"], ["--rate", "x"], ["--transport", "pigeon"]]) {
      let message = "";
      try {
        parseOptions(args);
      } catch (error) {
        message = (error as Error).message;
      }
      assertStringIncludes(message, args[0]);
    }
  });
});
