// What is left of a core's memory, counted in the smallest blocks; and a core whose memory is rationed.

import { assert } from "@std/assert";
import type { Core } from "../../../src/core/instance.ts";

const SMALLEST = 64;
const PIECE = 4_096;

/** How many of the smallest blocks there is room for under the core's limit: the same again when all was given back. */
export function roomIn(core: Core): number {
  const blocks: number[] = [];
  for (;;) {
    const block = core.exports.alloc(SMALLEST) >>> 0;
    if (block === 0) break;
    blocks.push(block);
  }
  for (const block of blocks) core.exports.free(block, SMALLEST);
  if (core.bytes.length === 0) core.refresh();
  return blocks.length;
}

/** Holds all memory of a core, and hands it out piece by piece. */
export class Rations {
  readonly #core: Core;
  readonly #pieces: number[] = [];

  constructor(core: Core, pages: number) {
    this.#core = core;
    core.exports.memoryLimit(pages);
    this.#collect();
    assert(this.#pieces.length > 0);
  }

  /** How many pieces it holds. */
  get held(): number {
    return this.#pieces.length;
  }

  #collect(): void {
    for (;;) {
      const piece = this.#core.exports.alloc(PIECE) >>> 0;
      if (piece === 0) break;
      this.#pieces.push(piece);
    }
    if (this.#core.bytes.length === 0) this.#core.refresh();
  }

  /** Calls while no more than so many pieces of 4096 octets can be had, but for what lies in smaller ones. */
  during<T>(pieces: number, call: () => T): T {
    for (let i = 0; i < pieces && this.#pieces.length > 0; i++) {
      this.#core.exports.free(this.#pieces.pop()!, PIECE);
    }
    try {
      return call();
    } finally {
      this.#collect();
    }
  }

  /** Gives everything back to the core. */
  end(): void {
    for (const piece of this.#pieces.splice(0)) this.#core.exports.free(piece, PIECE);
  }
}
