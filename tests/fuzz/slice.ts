// Runs cases of one target for a while, and makes what fails as simple as it can.

import fc from "fast-check";
import { fromHex, toHex } from "../_util/bytes.ts";
import { pause, within } from "../_util/deadline.ts";
import { shrink } from "./shrink.ts";
import { mix, Tape } from "./tape.ts";
import { type AnyTarget, describe, formatInput } from "./target.ts";

/** A case that went wrong. */
export interface Finding {
  readonly target: string;
  readonly error: string;
  /** The case, as simple as it could be made. */
  readonly input: string;
  /** What `deno task fuzz` needs to play it again. */
  readonly replay: string;
}

/** How far a slice goes: until a moment, or for so many cases. */
export interface Extent {
  readonly until: number;
  readonly cases?: number | undefined;
}

/** Hears of each case before it runs: its target and its seed. */
export type Starting = (seed: number) => void;

/** What came of a slice. */
export interface SliceResult {
  readonly cases: number;
  readonly finding: Finding | undefined;
}

/** A case that takes longer hangs. */
const CASE_MS = 30_000;
/** How long a failing case is made simpler. */
const SHRINK_MS = 20_000;

/** What was rejected and nobody heard of; the listeners that fill it are the program's. */
export const unheard: unknown[] = [];

async function checkOne(target: AnyTarget, input: unknown): Promise<void> {
  const outcome: unknown = target.check(input);
  if (outcome instanceof Promise) await within(outcome, CASE_MS, "a case, so it hangs");
  if (unheard.length === 0) return;
  throw new Error(`a rejection that nobody handles: ${describe(unheard.splice(0)[0])}`);
}

/** Runs cases one after the other, from those of a seed. */
export async function runSlice(
  target: AnyTarget,
  seed: number,
  extent: Extent,
  starting: Starting,
): Promise<SliceResult> {
  const run = target.arbitrary === undefined ? runTapes : runArbitrary;
  const result = await run(target, seed, extent, starting);
  await pause(0);
  if (result.finding !== undefined || unheard.length === 0) return result;
  const finding = {
    target: target.name,
    error: `a rejection that nobody handles: ${describe(unheard.splice(0)[0])}`,
    input: "one of the last cases",
    replay: `--target ${target.name} --seed ${seed} --cases ${result.cases}`,
  };
  return { ...result, finding };
}

async function runTapes(
  target: AnyTarget,
  seed: number,
  { until, cases = Infinity }: Extent,
  starting: Starting,
): Promise<SliceResult> {
  let count = 0;
  while (count < cases && performance.now() < until) {
    const caseSeed = mix(seed, target.name, count++);
    starting(caseSeed);
    const tape = Tape.random(caseSeed);
    let input: unknown;
    try {
      input = target.draw!(tape);
      // Awaiting each one would cost more than many a case.
      const outcome: unknown = target.check(input);
      if (!(outcome instanceof Promise) && unheard.length === 0) continue;
      await checkOne({ ...target, check: () => outcome as Promise<void> }, input);
    } catch (error) {
      const again = `--seed ${seed} --cases ${count}`;
      return { cases: count, finding: await simplest(target, tape.read, error, again, starting) };
    }
  }
  return { cases: count, finding: undefined };
}

/** The finding for a tape whose case failed. */
async function simplest(
  target: AnyTarget,
  tape: Uint8Array,
  error: unknown,
  again: string,
  starting: Starting,
): Promise<Finding> {
  let last: unknown;
  const fails = async (candidate: Uint8Array): Promise<boolean> => {
    starting(0);
    try {
      await checkOne(target, target.draw!(Tape.of(candidate)));
      return false;
    } catch (cause) {
      last = cause;
      return true;
    }
  };
  const of = (tape: Uint8Array, error: unknown, replay: string): Finding => ({
    target: target.name,
    error: describe(error),
    input: formatInput(target.draw!(Tape.of(tape))),
    replay: `--target ${target.name} ${replay}`,
  });
  // It may have needed the cases before it.
  if (!await fails(tape)) return of(tape, error, again);
  const until = performance.now() + SHRINK_MS;
  const least = await shrink(tape, fails, () => performance.now() > until);
  await fails(least);
  return of(least, last, `--tape ${toHex(least)}`);
}

/** Plays one case again, from the tape that was written down or from its own seed. */
export async function runTape(
  target: AnyTarget,
  source: string | number,
  starting: Starting,
): Promise<SliceResult> {
  const known = typeof source === "string";
  starting(known ? 0 : source);
  const tape = known ? Tape.of(fromHex(source)) : Tape.random(source);
  const input = target.draw!(tape);
  try {
    await checkOne(target, input);
    return { cases: 1, finding: undefined };
  } catch (error) {
    const replay = `--target ${target.name} --tape ${toHex(tape.read)}`;
    const finding = {
      target: target.name,
      error: describe(error),
      input: formatInput(input),
      replay,
    };
    return { cases: 1, finding };
  }
}

async function runArbitrary(
  target: AnyTarget,
  seed: number,
  { until, cases = Number.MAX_SAFE_INTEGER }: Extent,
  starting: Starting,
  path?: string,
): Promise<SliceResult> {
  const property = fc.asyncProperty(target.arbitrary!, (input) => {
    starting(seed);
    return checkOne(target, input);
  });
  const result = await fc.check(property, {
    seed: seed | 0,
    numRuns: cases,
    interruptAfterTimeLimit: Math.max(1, until - performance.now()),
    ...(path === undefined ? {} : { path }),
  });
  if (!result.failed || result.counterexample === null) {
    return { cases: result.numRuns, finding: undefined };
  }
  if (path === undefined && result.interrupted) {
    // The time was over while it was being made simpler.
    const more = { until: performance.now() + SHRINK_MS };
    const { finding } = await runArbitrary(
      target,
      seed,
      more,
      starting,
      result.counterexamplePath!,
    );
    if (finding !== undefined) return { cases: result.numRuns, finding };
  }
  const finding = {
    target: target.name,
    error: describe(result.errorInstance),
    input: formatInput(result.counterexample[0]),
    replay: `--target ${target.name} --seed ${seed} --path ${result.counterexamplePath}`,
  };
  return { cases: result.numRuns, finding };
}

/** Plays one case of fast-check again, by its path. */
export function runPath(
  target: AnyTarget,
  seed: number,
  path: string,
  starting: Starting,
): Promise<SliceResult> {
  return runArbitrary(target, seed, { until: performance.now() + SHRINK_MS }, starting, path);
}
