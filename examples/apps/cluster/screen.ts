// What is seen while it runs: a table that is drawn anew on a terminal, a line now and then elsewhere.

import type { Cluster } from "./cluster.ts";
import type { Histogram } from "./histogram.ts";

const { process } = globalThis as unknown as {
  process: { readonly stdout: { readonly isTTY?: boolean; write(text: string): void } };
};

const QUANTILES = [0.5, 0.9, 0.99, 0.999];
const COLUMNS = [9, 9, 8, 8, 8, 8, 11, 11, 11, 9, 9, 8];
const HEAD = [
  "cluster",
  "asked/s",
  "p50",
  "p90",
  "p99",
  "p99.9",
  "local",
  "cloud out",
  "cloud in",
  "waiting",
  "retried",
  "workers",
];

/** A time in microseconds, as milliseconds. */
export function ms(time: number): string {
  return `${(time / 1_000).toFixed(1)} ms`;
}

/** The quantiles of a histogram that are shown. */
export function quantiles(latencies: Histogram): string[] {
  return QUANTILES.map((share) => ms(latencies.quantile(share)));
}

export class Screen {
  readonly #clusters: readonly Cluster[];
  readonly #live = process.stdout.isTTY === true;
  #lines = 0;
  #asked: Map<Cluster, number> = new Map();
  #looked: number = performance.now();

  constructor(clusters: readonly Cluster[]) {
    this.#clusters = clusters;
  }

  /** Says something that stays. */
  say(text: string): void {
    this.#clear();
    process.stdout.write(`${text}\n`);
  }

  /** Shows how it stands, in the second `seconds`. */
  draw(seconds: number): void {
    const now = performance.now();
    const passed = (now - this.#looked) / 1_000;
    this.#looked = now;
    const rows = this.#clusters.map((cluster) => this.#row(cluster, passed));
    this.#clear();
    if (this.#live) this.#table([HEAD, ...rows]);
    else {
      const told = rows.map(([name, rate, p50, , p99, , , out, , waiting]) =>
        `${name} ${rate}/s p50 ${p50} p99 ${p99} cloud out ${out} waiting ${waiting}`
      );
      process.stdout.write(`${seconds.toFixed(0).padStart(3)} s  ${told.join(" | ")}\n`);
    }
  }

  #row(cluster: Cluster, passed: number): string[] {
    const { name, broker, clients, lately, workers } = cluster;
    const requests = clients?.requests ?? 0;
    const rate = (requests - (this.#asked.get(cluster) ?? 0)) / passed;
    this.#asked.set(cluster, requests);
    const times = quantiles(lately);
    lately.take();
    const { local = 0, cloudOut = 0, cloudIn = 0, waiting = 0, retried = 0 } = broker ?? {};
    const counts = [local, cloudOut, cloudIn, waiting, retried, workers].map(String);
    return [name, rate.toFixed(0), ...times, ...counts];
  }

  #table(rows: readonly (readonly string[])[]): void {
    for (const row of rows) {
      const cells = row.map((cell, i) =>
        i === 0 ? cell.padEnd(COLUMNS[i]) : cell.padStart(COLUMNS[i])
      );
      process.stdout.write(`${cells.join("")}\n`);
    }
    this.#lines = rows.length;
  }

  /** Takes the table away that was drawn last. */
  #clear(): void {
    if (this.#lines > 0) process.stdout.write(`\x1b[${this.#lines}A\x1b[J`);
    this.#lines = 0;
  }
}
