// The scale of a chart whose greatest value changes: it ends at a round number, and glides to the next one.

import type { Mark, Point } from "./plot.ts";

/** The numbers that it can end at, but for a power of ten, and how many parts each has. */
const ROUND: readonly (readonly [top: number, parts: number])[] = [
  [1, 5],
  [1.2, 3],
  [1.6, 4],
  [2, 4],
  [2.5, 5],
  [3, 3],
  [4, 4],
  [5, 5],
  [6, 3],
  [8, 4],
  [10, 5],
];
/** The part of the way that it goes with each frame. */
const GLIDE = 0.16;

export class Scale {
  readonly #least: number;
  #top = 0;
  #step = 1;

  /** It never ends below `least`. */
  constructor(least: number) {
    this.#least = least;
  }

  /** Makes room for the values. */
  fit(values: readonly number[]): void {
    const [top, parts] = roundUp(Math.max(this.#least, 1.08 * Math.max(0, ...values)));
    this.#step = top / parts;
    this.#top += this.#top === 0 ? top : (top - this.#top) * GLIDE;
    if (Math.abs(top - this.#top) < top / 1_000) this.#top = top;
  }

  /** How high a value is, from 0 to 1. */
  height(value: number): number {
    return value / this.#top;
  }

  /** Values over time as points of a chart. */
  points(values: readonly (readonly [at: number, value: number])[]): Point[] {
    return values.map(([at, value]) => [at, this.height(value)]);
  }

  /** The lines of the scale. */
  marks(text: (value: number) => string): Mark[] {
    const marks: Mark[] = [];
    for (let value = 0; value <= this.#top * 1.001; value += this.#step) {
      marks.push([this.height(value), text(value)]);
    }
    return marks;
  }
}

function roundUp(value: number): [top: number, parts: number] {
  const power = 10 ** Math.floor(Math.log10(value));
  const [top, parts] = ROUND.find(([top]) => top >= value / power - 1e-9)!;
  return [top * power, parts];
}
