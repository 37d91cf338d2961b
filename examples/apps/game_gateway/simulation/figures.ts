// Times in a histogram, which processes can send each other, and numbers for people.

/** Buckets for each doubling: a percentile is right to 9 %. */
const PARTS = 8;
/** Microseconds to 2^32, more than an hour. */
const SIZE = 32 * PARTS;

/** How often each time came. */
export class Histogram {
  #counts: number[] = new Array(SIZE).fill(0);
  #total = 0;

  /** Adds one, in milliseconds. */
  add(ms: number): void {
    const index = Math.floor(Math.log2(Math.max(1, ms * 1000)) * PARTS);
    this.#counts[Math.min(SIZE - 1, index)]++;
    this.#total++;
  }

  /** The time that so many of all are below, in milliseconds; 0 when there is none. */
  percentile(share: number): number {
    let rest = this.#total * share;
    if (rest === 0) return 0;
    for (let i = 0; i < SIZE; i++) {
      rest -= this.#counts[i];
      if (rest <= 0) return 2 ** ((i + 1) / PARTS) / 1000;
    }
    return Infinity;
  }

  /** What it has, as pairs of bucket and count, and empties it. */
  take(): [number, number][] {
    const pairs = [...this.#counts.entries()].filter(([, count]) => count > 0);
    this.#counts.fill(0);
    this.#total = 0;
    return pairs;
  }

  /** Adds what another one had. */
  merge(pairs: readonly (readonly [number, number])[]): void {
    for (const [index, count] of pairs) {
      this.#counts[index] += count;
      this.#total += count;
    }
  }
}

/** What a process of players tells each second, and at the end. All counts are from the beginning. */
export interface PlayerFigures {
  readonly joined: number;
  readonly sent: number;
  readonly results: number;
  /** Inputs that are missing in a player's counter, or have no result. */
  readonly lost: number;
  /** Inputs that a player's counter has twice, or results that came twice. */
  readonly doubled: number;
  readonly cut: number;
  readonly resumed: number;
  /** Since the last time. */
  readonly latency: readonly (readonly [number, number])[];
  readonly final: boolean;
}

/** 1234567 as "1,234,567". */
export function count(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

/** Milliseconds as "12.3 ms". */
export function ms(value: number): string {
  return `${value.toFixed(value < 100 ? 1 : 0)} ms`;
}
