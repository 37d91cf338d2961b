// Latencies by the thousand: how many were how long, to within three per cent.

/** Steps between a power of two and the next. */
const STEPS = 32;
const POWERS = 40;

/** Counts of times in microseconds. Each is kept as the step that it falls into. */
export class Histogram {
  readonly #counts: number[] = new Array(STEPS * POWERS).fill(0);
  #total = 0;

  get total(): number {
    return this.#total;
  }

  add(microseconds: number): void {
    const time = Math.max(1, microseconds);
    const power = 31 - Math.clz32(time);
    const step = Math.floor((time / 2 ** power - 1) * STEPS);
    this.#counts[power * STEPS + step]++;
    this.#total++;
  }

  /** The time that so many of all were within, from 0 to 1. */
  quantile(share: number): number {
    let left = Math.ceil(this.#total * share);
    if (left === 0) return 0;
    const at = this.#counts.findIndex((count) => (left -= count) <= 0);
    return 2 ** Math.floor(at / STEPS) * (1 + (at % STEPS + 1) / STEPS);
  }

  /** Takes over what another one counted, as it was written. */
  merge(written: readonly (readonly [number, number])[]): void {
    for (const [at, count] of written) {
      this.#counts[at] += count;
      this.#total += count;
    }
  }

  /** What was counted, and begins anew. */
  take(): [number, number][] {
    const written: [number, number][] = [];
    for (const [at, count] of this.#counts.entries()) if (count > 0) written.push([at, count]);
    this.#counts.fill(0);
    this.#total = 0;
    return written;
  }
}
