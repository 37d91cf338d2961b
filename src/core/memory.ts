// The memory that the sockets of one context share: one instance of the core for outboxes, which grows, and arenas of
// fixed size for the regions that streams read into. An arena never grows, because a runtime may be writing into it.

import { Core } from "./instance.ts";

const PAGE = 65536;
const ARENA_PAGES = 128;

/** A span of an arena that a stream reads into. */
export interface Region {
  readonly core: Core;
  readonly address: number;
  readonly size: number;
}

export class CoreMemory {
  #outboxes: Core | undefined;
  #arenas: Core[] = [];

  /** The instance that holds the outboxes. */
  get outboxes(): Core {
    return this.#outboxes ??= new Core();
  }

  /** A region of `size` octets, in the first arena that has room. */
  allocate(size: number): Region {
    for (const core of this.#arenas) {
      const address = core.exports.alloc(size);
      if (address !== 0) return { core, address: address >>> 0, size };
    }
    this.#arenas.push(arena(Math.max(ARENA_PAGES, 2 * size / PAGE)));
    return this.allocate(size);
  }

  release(region: Region): void {
    region.core.exports.free(region.address, region.size);
  }
}

function arena(pages: number): Core {
  const core = new Core();
  core.exports.memory.grow(pages);
  core.exports.memoryLimit(core.exports.memory.buffer.byteLength / PAGE);
  core.refresh();
  return core;
}
