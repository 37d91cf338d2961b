// Figures without their trembling.

import { TICK_MS } from "../topics.ts";

type Timed = readonly [at: number, value: number];

/** The mean of values; 0 of none. */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);
}

/** For each value over time the mean of it and those of so many ticks before it. */
export function smooth(points: readonly Timed[], ticks: number): Timed[] {
  return points.map(([at], i) => {
    const recent = points.slice(Math.max(0, i - ticks + 1), i + 1);
    const near = recent.filter((point) => point[0] > at - (ticks + 0.5) * TICK_MS);
    return [at, mean(near.map(([, value]) => value))];
  });
}
