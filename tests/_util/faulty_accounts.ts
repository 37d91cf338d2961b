// Counts what a context has of the core's memory: outboxes, and regions that streams read into.

import type { Context } from "../../mod.ts";
import type { CoreExports } from "../../src/core/instance.ts";
import type { Region } from "../../src/core/memory.ts";
import { partsOf } from "../../src/sockets/context.ts";

/** The accounts of a context, from the time it is made. */
export class Accounts {
  /** What was opened, and what of it is open. */
  opened = 0;
  outboxes = 0;
  readonly #regions: Set<Region> = new Set();

  constructor(context: Context) {
    const { memory } = partsOf(context);
    const { outboxes: core } = memory;
    const { exports } = core;
    const counted: CoreExports = {
      ...exports,
      outboxNew: () => {
        this.outboxes++;
        this.opened++;
        return exports.outboxNew();
      },
      outboxFree: (box) => {
        this.outboxes--;
        exports.outboxFree(box);
      },
    };
    Object.assign(core, { exports: counted });
    const { allocate, release } = memory;
    memory.allocate = (size, arena): Region => {
      const region = allocate.call(memory, size, arena);
      // It may have called itself.
      this.#regions.add(region);
      return region;
    };
    memory.release = (region) => {
      this.#regions.delete(region);
      release.call(memory, region);
    };
  }
  get regions(): number {
    return this.#regions.size;
  }
}
