// The command line of run.ts.

import { parseArgs } from "node:util";
import type { Settings } from "./measure.ts";
import { RESULTS_FILE } from "./results.ts";
import { canPin } from "./toolchain.ts";

const PARTS = [
  "throughput",
  "latency",
  "connect",
  "inproc",
  "ipc",
  "fanout",
  "filter",
  "trie",
  "proxy",
  "curve",
  "crypto",
  "ws",
  "bytes",
] as const;
/** A part of the benchmark. */
export type Part = (typeof PARTS)[number];

/** What `run.ts` prints for wrong arguments. */
export const USAGE: string = `usage: deno run -A bench/run.ts [options]
  --quick             one short run: for a first look, not for figures
  --only PART         ${PARTS.join(", ")};
                      several separated by commas
  --sizes 1,10,...    message sizes in bytes: throughput, inproc, ipc, fanout, proxy, curve, crypto,
                      ws
  --workers 1,...     how many workers: inproc
  --subscribers 1,... how many subscribers: fanout
  --impl ID,...       only these rows, for example wasmq-deno,libzmq
  --runs N            rounds of each measurement, the median counts (default 3)
  --unpinned          latency, ipc, connect, curve and ws: leave the choice of cores to the system
  --json FILE         write the results there; a complete run without it writes bench/results.json`;

/** How often and how much; what the command line cannot change. */
type Plan = Omit<Settings, "pinned">;

/** How many of what is measured. */
interface Counts {
  /** Message sizes of the throughput part. */
  readonly sizes: readonly number[];
  /** Message sizes of the fan-out and the proxy. */
  readonly publishSizes: readonly number[];
  /** Message sizes of inproc and of ipc. */
  readonly inprocSizes: readonly number[];
  readonly ipcSizes: readonly number[];
  /** Message sizes with CURVE, and of its primitives alone. */
  readonly curveSizes: readonly number[];
  readonly cryptoSizes: readonly number[];
  /** Message sizes over WebSocket. */
  readonly webSizes: readonly number[];
  /** Workers over inproc. */
  readonly workers: readonly number[];
  readonly subscribers: readonly number[];
  /** The trie. */
  readonly subscriptions: readonly number[];
}

/** The settings behind published figures. */
const THOROUGH: Plan = {
  runs: 3,
  warmupMs: 500,
  windowMs: 1000,
  publishWarmupMs: 1500,
  publishWindowMs: 1000,
  localWarmupMs: 200,
  localWindowMs: 400,
  webWindowMs: 600,
  curveWarmupMs: 300,
  curveWindowMs: 600,
  cryptoWindowMs: 100,
  warmupRoundTrips: 2000,
  roundTrips: 10_000,
  warmupConnections: 50,
  connections: 500,
  lookups: 500_000,
};

const ALL: Counts = {
  sizes: [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000],
  publishSizes: [10, 1_000],
  inprocSizes: [1, 30, 1_000, 10_000, 100_000],
  ipcSizes: [1, 100, 1_000, 100_000, 1_000_000],
  curveSizes: [10, 100, 1_000, 10_000, 65_536, 100_000, 1_000_000],
  cryptoSizes: [10, 100, 1_000, 10_000, 100_000, 1_000_000],
  webSizes: [1, 100, 1_000, 10_000, 100_000, 1_000_000],
  workers: [1, 2, 5, 10],
  subscribers: [1, 10, 100, 1_000],
  subscriptions: [1_000, 100_000, 1_000_000],
};

/** Enough to see whether everything runs. */
const QUICK: Plan = {
  runs: 1,
  warmupMs: 200,
  windowMs: 300,
  publishWarmupMs: 200,
  publishWindowMs: 300,
  localWarmupMs: 200,
  localWindowMs: 300,
  webWindowMs: 300,
  curveWarmupMs: 200,
  curveWindowMs: 300,
  cryptoWindowMs: 50,
  warmupRoundTrips: 500,
  roundTrips: 2000,
  warmupConnections: 10,
  connections: 100,
  lookups: 200_000,
};

const FEW: Counts = { ...ALL, subscribers: [1, 100], subscriptions: [1_000, 100_000] };

/** What a run measures. */
export interface Options extends Counts {
  readonly parts: readonly Part[];
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
      subscribers: { type: "string" },
      workers: { type: "string" },
      impl: { type: "string" },
      runs: { type: "string" },
      unpinned: { type: "boolean" },
      json: { type: "string" },
    },
  });
  const plan = values.quick ? QUICK : THOROUGH;
  const counts = values.quick ? FEW : ALL;
  const { quick, only, sizes, subscribers, workers, impl, unpinned } = values;
  const isComplete = !(quick || only || sizes || subscribers || workers || impl || unpinned);
  const ownSizes = sizes?.split(",").map(toPositive);
  return {
    parts: only?.split(",").map(toPart) ?? PARTS,
    sizes: ownSizes ?? counts.sizes,
    publishSizes: ownSizes ?? counts.publishSizes,
    inprocSizes: ownSizes ?? counts.inprocSizes,
    ipcSizes: ownSizes ?? counts.ipcSizes,
    curveSizes: ownSizes ?? counts.curveSizes,
    cryptoSizes: ownSizes ?? counts.cryptoSizes,
    webSizes: ownSizes ?? counts.webSizes,
    workers: workers?.split(",").map(toPositive) ?? counts.workers,
    subscribers: subscribers?.split(",").map(toPositive) ?? counts.subscribers,
    subscriptions: counts.subscriptions,
    rowIds: impl?.split(","),
    settings: {
      ...plan,
      runs: values.runs ? toPositive(values.runs) : plan.runs,
      pinned: !unpinned && await canPin(),
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
