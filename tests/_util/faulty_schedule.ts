// The schedule of the test that runs: the sources of chance of its connections, one after the other, from the seed of the run
// and the test's name.

import { freshSeed, Random } from "./faulty_random.ts";

const { process } = globalThis as unknown as {
  process: { env: Readonly<Record<string, string | undefined>> };
};

/** The seed of the run. */
export const seed: number = Number(process.env.FAULT_SEED ?? freshSeed());

let name = "";
let used = 0;
let schedules = 0;

/** A test begins. */
export function beginSchedule(test: string): void {
  name = test;
  used = 0;
}

/** The source of the next connection. */
export function nextRandom(): Random {
  if (used++ === 0) schedules++;
  return new Random(`${seed} ${name} ${used}`);
}

/** How many schedules something happened in. */
export function countSchedules(): number {
  return schedules;
}
