// What a run leaves behind: the shape of results.json.

import type { Latency, Rate, Settings } from "./measure.ts";
import type { EntrySize } from "./entries.ts";
import type { BoxRates, Secured } from "./measure_curve.ts";
import type { TrieCost } from "./measure_publish.ts";
import type { OverWeb } from "./measure_web.ts";
import type { MissingRow, Row } from "./rows.ts";

/** Where the runs took place. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
  /** One-minute load average when the run began: above some 0.5, others took part of the machine. */
  readonly loadAverage: number;
}

/** The figures of one row for one measurement: the median of all runs, and each run. */
export interface Figure<T> {
  readonly row: string;
  readonly median: T;
  readonly runs: readonly T[];
}

/** A figure for messages of one size. */
export interface SizedFigure<T> extends Figure<T> {
  readonly size: number;
}

/** A figure for messages of one size to so many subscribers. */
export interface FanOutFigure extends SizedFigure<Rate> {
  readonly subscribers: number;
}

/** A figure for messages of one size to so many workers. */
export interface WorkersFigure extends SizedFigure<Rate> {
  readonly workers: number;
}

/** A figure for a publisher with so many subscriptions. */
export interface TrieFigure extends Figure<TrieCost> {
  readonly subscriptions: number;
}

/** A measurement that did not come to an end. */
export interface Failure {
  readonly row: string;
  readonly what: string;
  readonly why: string;
}

/** One run of the whole benchmark. */
export interface Results {
  readonly date: string;
  readonly machine: Machine;
  readonly versions: Readonly<Record<string, string>>;
  readonly settings: Settings;
  readonly rows: readonly Omit<Row, "command">[];
  readonly missing: MissingRow[];
  readonly failures: Failure[];
  /** PUSH/PULL in messages a second. */
  readonly throughput: SizedFigure<Rate>[];
  /** The bare rows' streams in bytes a second. */
  readonly stream: Figure<Rate>[];
  /** Round trips. */
  readonly latency: SizedFigure<Latency>[];
  /** Connections a second. */
  readonly connect: Figure<Rate>[];
  /** PAIR to PAIR in one process, in messages a second. */
  readonly inprocThroughput: SizedFigure<Rate>[];
  /** The same where wasmq tries first, and awaits only what has to wait. */
  readonly inprocTried: SizedFigure<Rate>[];
  /** The same of libzmq where it is lent the body. */
  readonly inprocLent: SizedFigure<Rate>[];
  /** Half a round trip in one process, in nanoseconds. */
  readonly inprocLatency: SizedFigure<number>[];
  /** PUSH to many PULLs in one process, in messages a second. */
  readonly inprocWorkers: WorkersFigure[];
  /** The same where wasmq tries first. */
  readonly inprocWorkersTried: WorkersFigure[];
  /** PUSH/PULL over ipc in messages a second. */
  readonly ipcThroughput: SizedFigure<Rate>[];
  /** Round trips over ipc. */
  readonly ipcLatency: SizedFigure<Latency>[];
  /** PUB to many SUBs in deliveries a second, of all together. */
  readonly fanOut: FanOutFigure[];
  /** One topic of a hundred wanted, the publisher filters: messages published a second. */
  readonly publisherFilter: Figure<Rate>[];
  /** The same where the subscriber filters: messages that arrive a second. */
  readonly subscriberFilter: Figure<Rate>[];
  /** What a subscription costs a publisher. */
  readonly trie: TrieFigure[];
  /** PUB to SUB through a proxy in deliveries a second. */
  readonly proxy: SizedFigure<Rate>[];
  /** PUSH/PULL with CURVE, and with NULL right after it. */
  readonly curveThroughput: SizedFigure<Secured<Rate>>[];
  /** Round trips likewise. */
  readonly curveLatency: SizedFigure<Secured<Latency>>[];
  /** Connections a second likewise. */
  readonly curveConnect: Figure<Secured<Rate>>[];
  /** The primitives alone, in messages a second. */
  readonly boxes: SizedFigure<BoxRates>[];
  /** PUSH/PULL over WebSocket, and over tcp right after it. */
  readonly webThroughput: SizedFigure<OverWeb<Rate>>[];
  /** Round trips likewise. */
  readonly webLatency: SizedFigure<OverWeb<Latency>>[];
  /** Connections a second likewise. */
  readonly webConnect: Figure<OverWeb<Rate>>[];
  /** How large the entries are. */
  readonly entries: EntrySize[];
}

/** The committed results that README's table is made of. */
export const RESULTS_FILE: URL = new URL("results.json", import.meta.url);

type Figures = Omit<Results, "date" | "machine" | "versions" | "settings" | "rows" | "missing">;

/** Results without a figure: the start of a run, and what an older file may lack. */
export function noFigures(): Figures {
  return {
    failures: [],
    throughput: [],
    stream: [],
    latency: [],
    connect: [],
    inprocThroughput: [],
    inprocTried: [],
    inprocLent: [],
    inprocLatency: [],
    inprocWorkers: [],
    inprocWorkersTried: [],
    ipcThroughput: [],
    ipcLatency: [],
    fanOut: [],
    publisherFilter: [],
    subscriberFilter: [],
    trie: [],
    proxy: [],
    curveThroughput: [],
    curveLatency: [],
    curveConnect: [],
    boxes: [],
    webThroughput: [],
    webLatency: [],
    webConnect: [],
    entries: [],
  };
}

/** Reads results written by `writeResults`. */
export function readResults(file: string | URL): Results {
  return { ...noFigures(), ...JSON.parse(Deno.readTextFileSync(file)) };
}

/** Writes results as indented JSON. */
export function writeResults(file: string | URL, results: Results): void {
  Deno.writeTextFileSync(file, JSON.stringify(results, roundNumbers, 2) + "\n");
}

/** Digits beyond the noise only make the file's differences hard to read. */
function roundNumbers(_key: string, value: unknown): unknown {
  if (typeof value !== "number") return value;
  return Math.abs(value) >= 1000 ? Math.round(value) : Math.round(value * 100) / 100;
}

/** The median of rates. */
export function medianRate(runs: readonly Rate[]): Rate {
  return median(runs);
}

/** The median of latencies, each quantile on its own. */
export function medianLatency(runs: readonly Latency[]): Latency {
  return {
    medianUs: median(runs.map((run) => run.medianUs)),
    p99Us: median(runs.map((run) => run.p99Us)),
  };
}

/** The median of what subscriptions cost, each figure on its own. */
export function medianTrieCost(runs: readonly TrieCost[]): TrieCost {
  return {
    addNs: median(runs.map((run) => run.addNs)),
    matchNs: median(runs.map((run) => run.matchNs)),
    missNs: median(runs.map((run) => run.missNs)),
    removeNs: median(runs.map((run) => run.removeNs)),
    bytes: median(runs.map((run) => run.bytes)),
  };
}

/** The median with CURVE, and that with NULL. */
export function medianSecured<T>(
  runs: readonly Secured<T>[],
  medianOf: (values: readonly T[]) => T,
): Secured<T> {
  return {
    curve: medianOf(runs.map((run) => run.curve)),
    plain: medianOf(runs.map((run) => run.plain)),
  };
}

/** The median over ws, and that over tcp. */
export function medianOverWeb<T>(
  runs: readonly OverWeb<T>[],
  medianOf: (values: readonly T[]) => T,
): OverWeb<T> {
  const ws = medianOf(runs.map((run) => run.ws));
  const tcp = runs.flatMap((run) => run.tcp === undefined ? [] : [run.tcp]);
  return tcp.length === 0 ? { ws } : { ws, tcp: medianOf(tcp) };
}

/** The median of each rate of the primitives. */
export function medianBoxRates(runs: readonly BoxRates[]): BoxRates {
  const names = Object.keys(runs[0]) as (keyof BoxRates)[];
  const medians = names.map((name) => [name, median(runs.map((run) => run[name] ?? 0))]);
  return Object.fromEntries(medians);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
