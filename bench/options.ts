// The command line of run.ts.

import { parseArgs } from "node:util";
import type { Settings } from "./measure.ts";
import { RESULTS_FILE } from "./results.ts";
import { canPin } from "./toolchain.ts";

/** What `run.ts` prints for wrong arguments. */
export const USAGE: string = `usage: deno run -A bench/run.ts [options]
  --quick             one short run: for a first look, not for figures
  --only PART         throughput, latency or connect; several separated by commas
  --sizes 1,10,...    message sizes of the throughput part in bytes
  --impl ID,...       only these rows, for example wasmq-deno,libzmq
  --runs N            rounds of each measurement, the median counts (default 3)
  --unpinned          latency and connect: leave the choice of cores to the system
  --json FILE         write the results there; a complete run without it writes bench/results.json`;

const PARTS = ["throughput", "latency", "connect"] as const;
/** A part of the benchmark. */
export type Part = (typeof PARTS)[number];

const SIZES = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000];

/** The settings behind published figures. */
const THOROUGH: Omit<Settings, "pinned"> = {
  runs: 3,
  warmupMs: 500,
  windowMs: 1000,
  warmupRoundTrips: 2000,
  roundTrips: 10_000,
  warmupConnections: 50,
  connections: 500,
};

/** Enough to see whether everything runs. */
const QUICK: Omit<Settings, "pinned"> = {
  runs: 1,
  warmupMs: 200,
  windowMs: 300,
  warmupRoundTrips: 500,
  roundTrips: 2000,
  warmupConnections: 10,
  connections: 100,
};

/** What a run measures. */
export interface Options {
  readonly parts: readonly Part[];
  /** Message sizes of the throughput part. */
  readonly sizes: readonly number[];
  /** Only these rows. */
  readonly rowIds: readonly string[] | undefined;
  readonly settings: Settings;
  /** Where the results go. */
  readonly json: string | URL | undefined;
}

/** Reads the command line; throws an `Error` that says what was expected. */
export async function readOptions(args: string[]): Promise<Options> {
  const { values } = parseArgs({
    args,
    options: {
      quick: { type: "boolean" },
      only: { type: "string" },
      sizes: { type: "string" },
      impl: { type: "string" },
      runs: { type: "string" },
      unpinned: { type: "boolean" },
      json: { type: "string" },
    },
  });
  const base = values.quick ? QUICK : THOROUGH;
  const isComplete =
    !(values.quick || values.only || values.sizes || values.impl || values.unpinned);
  return {
    parts: values.only?.split(",").map(toPart) ?? PARTS,
    sizes: values.sizes?.split(",").map(toPositive) ?? SIZES,
    rowIds: values.impl?.split(","),
    settings: {
      ...base,
      runs: values.runs ? toPositive(values.runs) : base.runs,
      pinned: !values.unpinned && await canPin(),
    },
    json: values.json ?? (isComplete ? RESULTS_FILE : undefined),
  };
}

function toPart(text: string): Part {
  const part = PARTS.find((part) => part === text);
  if (!part) throw new Error(`Cannot run the part "${text}": expected ${PARTS.join(", ")}`);
  return part;
}

function toPositive(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) {
    throw new Error(`Cannot use "${text}": expected a positive whole number`);
  }
  return number;
}
