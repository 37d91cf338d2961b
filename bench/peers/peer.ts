// What every JavaScript peer shares: command line, output, and how a figure is measured.
// A peer is one process with one job; ../README.md describes the command line and the output.

import { writeSync } from "node:fs";
import process from "node:process";

/** What the receiving end of a measurement counted, without its warm-up. */
export interface Count {
  /** Messages, bytes or connections. */
  count: number;
  /** How long that took. */
  seconds: number;
}

/** The jobs a peer can be given. */
export interface Peer {
  /** Binds, reports its address, counts what arrives until a window is over. */
  pull(size: number, window: ThroughputWindow, endpoint?: string): Promise<Count>;
  /** Connects and sends until it is killed. */
  push(endpoint: string, size: number): Promise<never>;
  /** Binds, reports its address, answers until it is killed. */
  rep(endpoint?: string): Promise<never>;
  /** Connects and returns a function that makes one round trip. */
  req(endpoint: string, size: number): Promise<() => Promise<void>>;
  /** Connects, makes one round trip, closes. */
  connect(endpoint: string): Promise<void>;
  /** The version of what is measured, for rows that are not the runtime itself. */
  version?(): string;
}

/** Jobs that only some peers have, by their modes; what a job answers is printed. */
export type Jobs = Record<string, (args: string[]) => Promise<object>>;

/** Prints one line of JSON for the runner, synchronously so that exiting cannot lose it. */
export function report(line: Record<string, unknown>): void {
  writeSync(1, JSON.stringify(line) + "\n");
}

/** Does the job the command line names, then exits; `secured` is the peer behind the word "curve". */
export async function runPeer(peer: Peer, more: Jobs = {}, secured?: Peer): Promise<void> {
  const [mode, ...args] = process.argv.slice(2);
  if (Object.hasOwn(more, mode)) await runJobs(more);
  else if (mode === "curve" && secured) await runJob(secured, args);
  else await runJob(peer, [mode, ...args]);
  process.exit(0);
}

/** Does one of these jobs and exits. */
export async function runJobs(jobs: Jobs): Promise<never> {
  const [mode, ...args] = process.argv.slice(2);
  if (!Object.hasOwn(jobs, mode)) throw unknownMode(mode);
  report({ ...await jobs[mode](args) });
  process.exit(0);
}

async function runJob(peer: Peer, [mode, ...args]: string[]): Promise<void> {
  switch (mode) {
    case "pull": {
      const [size, warmupMs, windowMs] = args.map(Number);
      const window = new ThroughputWindow(warmupMs, windowMs);
      report({ ...await peer.pull(size, window, args[3]) });
      break;
    }
    case "push":
      await peer.push(args[0], Number(args[1]));
      break;
    case "rep":
      await peer.rep(args[0]);
      break;
    case "req": {
      const [size, warmup, count] = args.slice(1).map(Number);
      report(await measureRoundTrips(await peer.req(args[0], size), warmup, count));
      break;
    }
    case "connect": {
      const [warmup, count] = args.slice(1).map(Number);
      report({ ...await measureConnections(() => peer.connect(args[0]), warmup, count) });
      break;
    }
    case "version":
      report({ version: peer.version?.() ?? "" });
      break;
    default:
      throw unknownMode(mode);
  }
}

function unknownMode(mode: string): Error {
  return new Error(`Cannot run the mode "${mode}": README.md lists what there is`);
}

async function measureRoundTrips(
  roundTrip: () => Promise<void>,
  warmup: number,
  count: number,
): Promise<Record<string, number>> {
  for (let i = 0; i < warmup; i++) await roundTrip();
  const samples = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const start = performance.now();
    await roundTrip();
    samples[i] = (performance.now() - start) * 1000;
  }
  samples.sort();
  return { medianUs: samples[count >> 1], p99Us: samples[Math.floor(count * 0.99)] };
}

async function measureConnections(
  connect: () => Promise<void>,
  warmup: number,
  count: number,
): Promise<Count> {
  for (let i = 0; i < warmup; i++) await connect();
  const start = performance.now();
  for (let i = 0; i < count; i++) await connect();
  return { count, seconds: (performance.now() - start) / 1000 };
}

/** How many messages a receiver lets pass between two looks at the clock. */
export function clockStride(size: number): number {
  return Math.max(1, Math.min(256, Math.floor(256_000 / Math.max(size, 1))));
}

/** Leaves out a warm-up that starts with the first arrival, then counts over a fixed time. */
export class ThroughputWindow {
  #warmupMs: number;
  #windowMs: number;
  #firstAt = -1;
  #startedAt = -1;
  #countedFrom = 0;

  constructor(warmupMs: number, windowMs: number) {
    this.#warmupMs = warmupMs;
    this.#windowMs = windowMs;
  }

  /** Tells the total so far; returns the result once the window is over. */
  observe(total: number): Count | undefined {
    const now = performance.now();
    if (this.#firstAt < 0) {
      this.#firstAt = now;
    } else if (this.#startedAt < 0) {
      if (now - this.#firstAt < this.#warmupMs) return undefined;
      this.#startedAt = now;
      this.#countedFrom = total;
    } else if (now - this.#startedAt >= this.#windowMs) {
      return { count: total - this.#countedFrom, seconds: (now - this.#startedAt) / 1000 };
    }
    return undefined;
  }
}
