// The memory that the sockets of one context share: one instance of the core for outboxes, which grows, and arenas for the
// regions that streams read into. An arena's memory never grows, because a runtime may be writing into it.

import { Core, PAGE } from "./instance.ts";

const ARENA_PAGES = 128;
const MOST_PAGES = 65536;

/** An instance whose memory never grows; a larger copy of it may take its place, in which everything has its address. */
export class Arena {
  core: Core;

  constructor(pages: number) {
    this.core = new Core(undefined, pages);
    this.#fix();
  }

  /** Makes twice the room; false when there is no memory for it. */
  enlarge(): boolean {
    const pages = 2 * this.core.bytes.length / PAGE;
    if (pages > MOST_PAGES) return false;
    try {
      this.core = new Core(this.core, pages);
    } catch {
      return false;
    }
    this.#fix();
    return true;
  }

  #fix(): void {
    this.core.exports.memoryLimit(this.core.bytes.length / PAGE);
  }
}

/** A span of an arena that a stream reads into. */
export interface Region {
  readonly arena: Arena;
  readonly address: number;
  readonly size: number;
}

export class CoreMemory {
  #outboxes: Core | undefined;
  #filters: Arena | undefined;
  #arenas: Arena[] = [];

  /** The instance that holds the outboxes. */
  get outboxes(): Core {
    return this.#outboxes ??= new Core();
  }

  /** The arena of subscribers: the topics that they filter by must lie beside what they filter. */
  get filters(): Arena {
    return this.#filters ??= new Arena(ARENA_PAGES);
  }

  /** A region of `size` octets; in `arena`, or in the first arena that has room. */
  allocate(size: number, arena?: Arena): Region {
    if (arena !== undefined) return enlarging(arena, size);
    for (const each of this.#arenas) {
      const address = each.core.exports.alloc(size) >>> 0;
      if (address !== 0) return { arena: each, address, size };
    }
    this.#arenas.push(new Arena(Math.max(ARENA_PAGES, 2 * size / PAGE)));
    return this.allocate(size);
  }

  release({ arena, address, size }: Region): void {
    arena.core.exports.free(address, size);
  }
}

function enlarging(arena: Arena, size: number): Region {
  for (;;) {
    const address = arena.core.exports.alloc(size) >>> 0;
    if (address !== 0) return { arena, address, size };
    if (!arena.enlarge()) {
      throw new RangeError("Cannot read from another publisher: the subscribers' memory is full");
    }
  }
}
