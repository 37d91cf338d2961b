// The sink's book: which chunks are counted, by whom, and the sum. It does not trust that a result
// comes once: a chunk that was sent again after a worker's death may come back twice.

import { addCounts, type WordCounts } from "./words.ts";

/** What one worker has contributed. */
export interface Share {
  chunks: number;
  bytes: number;
}

/** Keeps the account of a run of `total` chunks. */
export class Ledger {
  readonly words: WordCounts = new Map();
  readonly shares: Map<string, Share> = new Map();
  /** Results for chunks that had been counted before. */
  duplicates = 0;
  bytes = 0;
  lastResultAt: number = performance.now();
  /** Settles when every chunk is counted. */
  readonly completed: Promise<void>;
  #complete: () => void = () => {};
  readonly #counted = new Set<number>();
  readonly #total: number;

  constructor(total: number) {
    this.#total = total;
    this.completed = new Promise((resolve) => {
      this.#complete = resolve;
    });
  }

  get counted(): number {
    return this.#counted.size;
  }

  isCounted(id: number): boolean {
    return this.#counted.has(id);
  }

  /** Chunks without a result. */
  outstanding(): number[] {
    return Array.from({ length: this.#total }, (_, id) => id).filter((id) =>
      !this.#counted.has(id)
    );
  }

  /** Enters the result of chunk `id`, which was `bytes` long. */
  enter(id: number, bytes: number, worker: string, counts: Iterable<[string, number]>): void {
    this.lastResultAt = performance.now();
    if (this.#counted.has(id)) {
      this.duplicates++;
      return;
    }
    this.#counted.add(id);
    this.bytes += bytes;
    addCounts(this.words, counts);
    const share = this.shares.get(worker) ?? { chunks: 0, bytes: 0 };
    share.chunks++;
    share.bytes += bytes;
    this.shares.set(worker, share);
    if (this.#counted.size === this.#total) this.#complete();
  }
}
