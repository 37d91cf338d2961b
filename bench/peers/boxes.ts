// What the peers share that measure NaCl's box alone: batches of texts, and how a rate is taken from them.

import type { Jobs } from "./peer.ts";

/** Octets of all texts of a batch together, where one is not longer. */
const BATCH_OCTETS = 262_144;

/** Seals and opens a batch of texts. */
export interface Batch {
  seal(): void;
  /** Puts back what `open` uses up; not timed. */
  refill(): void;
  open(): void;
}

/** A job of the peer: batches of so many texts of one size, by the names of what they do. */
export type Boxes = (
  count: number,
  size: number,
) => { sealed: string; opened: string; batch: Batch }[];

/** The job `boxes SIZE WINDOW_MS`: texts a second. */
export function boxesJob(boxes: Boxes): Jobs {
  return {
    boxes([size, windowMs]) {
      const count = Math.max(1, Math.floor(BATCH_OCTETS / Number(size)));
      const rates: Record<string, number> = {};
      for (const { sealed, opened, batch } of boxes(count, Number(size))) {
        rates[sealed] = count * batchesPerSecond(batch.seal, Number(windowMs));
        rates[opened] = count * batchesPerSecond(batch.open, Number(windowMs), batch.refill);
      }
      return Promise.resolve(rates);
    },
  };
}

/** The median of the batches of the window, after a warm-up of the same length. */
function batchesPerSecond(job: () => void, windowMs: number, prepare?: () => void): number {
  const times: number[] = [];
  const start = performance.now();
  for (let now = start; now - start < 2 * windowMs;) {
    prepare?.();
    const before = performance.now();
    job();
    now = performance.now();
    if (now - start >= windowMs) times.push(now - before);
  }
  times.sort((a, b) => a - b);
  return 1000 / times[times.length >> 1];
}
