// Shares the time between the targets: round after round, a slice for each.

import { memory } from "../_util/memory.ts";
import {
  type Finding,
  runPath,
  runSlice,
  runTape,
  type SliceResult,
  type Starting,
} from "./slice.ts";
import type { Settings } from "./settings.ts";
import { mix } from "./tape.ts";
import type { AnyTarget } from "./target.ts";

/** Who watches a run. */
export interface Watcher {
  /** A case of the target with this number begins. */
  starting(target: number, seed: number): void;
  line(text: string): void;
  found(finding: Finding): void;
}

/** What was done for a target. */
interface Tally {
  cases: number;
  ms: number;
}

/** In a long run a target has its turn for so long, in a short one each has a few turns. */
const LONGEST_SLICE_MS = 5_000;
const TURNS = 3;

/** The targets that are asked for. */
export function chosen(all: readonly AnyTarget[], names: readonly string[]): readonly AnyTarget[] {
  if (names.length === 0) return all;
  const exact = all.filter(({ name }) => names.includes(name));
  return exact.length > 0
    ? exact
    : all.filter(({ name }) => names.some((part) => name.includes(part)));
}

/** Runs until the time is over; how many targets failed. */
export async function runRounds(
  targets: readonly AnyTarget[],
  settings: Settings,
  watcher: Watcher,
): Promise<number> {
  const began = performance.now();
  const end = settings.cases === undefined ? began + settings.seconds * 1000 : Infinity;
  const tallies = new Map<AnyTarget, Tally>(targets.map((each) => [each, { cases: 0, ms: 0 }]));
  const healthy = new Set(targets);
  let total = 0;
  for (let round = 0; healthy.size > 0 && performance.now() < end; round++) {
    const seed = round === 0 ? settings.seed : mix(settings.seed, round);
    const before = new Map([...tallies].map(([target, { cases }]) => [target, cases]));
    for (const target of targets) {
      if (!healthy.has(target)) continue;
      const tally = tallies.get(target)!;
      const start = performance.now();
      const share = Math.min(LONGEST_SLICE_MS, settings.seconds * 1000 / targets.length / TURNS);
      const until = settings.cases === undefined ? Math.min(end, start + share) : Infinity;
      const number = targets.indexOf(target);
      const { cases, finding } = await runOnce(
        target,
        { ...settings, seed },
        until,
        (seed) => watcher.starting(number, seed),
      );
      tally.cases += cases;
      tally.ms += performance.now() - start;
      total += cases;
      if (finding === undefined) continue;
      watcher.found(finding);
      healthy.delete(target);
    }
    const counts = [...tallies].map(([target, { cases }]) =>
      `${target.name} ${cases - before.get(target)!}`
    );
    const megabytes = Math.round(memory() / 1e6);
    watcher.line(`round ${round + 1}, seed ${seed}, ${megabytes} MB: ${counts.join(", ")}`);
    const { cases, tape, path } = settings;
    if ((cases ?? tape ?? settings.case ?? path) !== undefined) break;
  }
  for (const target of targets) await target.end?.();
  for (const [{ name }, { cases, ms }] of tallies) {
    watcher.line(`  ${name}: ${cases} cases in ${(ms / 1000).toFixed(1)} s`);
  }
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  const findings = targets.length - healthy.size;
  watcher.line(`fuzz: ${total} cases in ${seconds} s, seed ${settings.seed}, ${findings} findings`);
  return findings;
}

function runOnce(
  target: AnyTarget,
  { seed, cases, tape, case: one, path }: Settings,
  until: number,
  starting: Starting,
): Promise<SliceResult> {
  const source = tape ?? one;
  if (source !== undefined) return runTape(target, source, starting);
  if (path !== undefined) return runPath(target, seed, path, starting);
  return runSlice(target, seed, { until, cases }, starting);
}
