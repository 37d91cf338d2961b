// The latencies of the last second, and of each tick in bands.

import { Histogram } from "../apps/cluster/histogram.ts";
import { bandOf, type LatencyFigures, TICK_MS } from "./topics.ts";

/** Ticks that percentiles are made of: single ticks have too few answers for them. */
const TICKS = 1_000 / TICK_MS;
/** The steps of a histogram between a power of two and the next. */
const STEPS = 32;

type Counts = ReturnType<Histogram["take"]>;

export class Latencies {
  readonly #now = new Histogram();
  #ticks: Counts[] = [];

  add(microseconds: number): void {
    this.#now.add(microseconds);
  }

  /** The figures of the tick that ends here. */
  take(): Omit<LatencyFigures, "at"> {
    const counts = this.#now.take();
    this.#ticks = [...this.#ticks, counts].slice(-TICKS);
    const second = new Histogram();
    for (const tick of this.#ticks) second.merge(tick);
    const [p50, p90, p99, p999] = [0.5, 0.9, 0.99, 0.999].map((share) => second.quantile(share));
    return { p50, p90, p99, p999, bands: bandsOf(counts) };
  }
}

function bandsOf(counts: Counts): [number, number][] {
  const bands = new Map<number, number>();
  for (const [at, count] of counts) {
    const middle = 2 ** Math.floor(at / STEPS) * (1 + (at % STEPS + 0.5) / STEPS);
    const band = Math.floor(bandOf(middle));
    bands.set(band, (bands.get(band) ?? 0) + count);
  }
  return [...bands];
}
