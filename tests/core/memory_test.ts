// The core's allocator, and the arenas of CoreMemory: what is in use at one time never overlaps, and what was given back
// is used again.

import {
  assert,
  assertEquals,
  assertNotStrictEquals,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { Core } from "../../src/core/instance.ts";
import { CoreMemory, type Region } from "../../src/core/memory.ts";
import { MEMORY_BASE } from "../../wasm/layout.ts";
import { assertOctets, pattern } from "../_util/octets.ts";

const PAGE = 65_536;

interface Block {
  readonly address: number;
  readonly octets: Uint8Array;
}

/** Allocations with contents that must survive until they are given back. */
class Blocks {
  readonly core: Core = new Core();
  readonly blocks: Block[] = [];
  #seed = 0;

  /** False when there was no memory. */
  allocate(size: number): boolean {
    const address = this.core.exports.alloc(size) >>> 0;
    if (this.core.bytes.length === 0) this.core.refresh();
    if (address === 0) return false;
    const octets = pattern(size, this.#seed++);
    assert(address >= MEMORY_BASE && address + size <= this.core.bytes.length);
    const whole = Math.max(64, 2 ** Math.ceil(Math.log2(size)));
    assertEquals(address % Math.min(whole, 4_096), 0, "not aligned to its size");
    this.core.bytes.set(octets, address);
    this.blocks.push({ address, octets });
    return true;
  }

  free(index: number): void {
    if (this.blocks.length === 0) return;
    const [block] = this.blocks.splice(index % this.blocks.length, 1);
    this.#check(block);
    this.core.exports.free(block.address, block.octets.length);
  }

  checkAll(): void {
    for (const block of this.blocks) this.#check(block);
    const sorted = this.blocks.toSorted((a, b) => a.address - b.address);
    for (const [i, { address, octets }] of sorted.entries()) {
      assert(
        i + 1 === sorted.length || address + octets.length <= sorted[i + 1].address,
        "overlap",
      );
    }
  }

  #check({ address, octets }: Block): void {
    assertOctets(this.core.bytes.subarray(address, address + octets.length), octets, "a block");
  }
}

const blockSize = fc.oneof(
  fc.integer({ min: 1, max: 300 }),
  fc.nat(16).map((power) => 2 ** power),
  fc.nat(16).map((power) => 2 ** power + 1),
  fc.integer({ min: 1, max: 100_000 }),
);
const steps = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: blockSize },
    { weight: 2, arbitrary: fc.nat(1_000).map((index) => -1 - index) },
  ),
  { size: "+1" },
);

/** Numbers above 0 allocate so many octets, the others give a block back. */
function play(blocks: Blocks, sequence: readonly number[]): void {
  for (const number of sequence) {
    if (number > 0) blocks.allocate(number);
    else blocks.free(-1 - number);
  }
  blocks.checkAll();
  while (blocks.blocks.length > 0) blocks.free(0);
}

describe("the core's allocator", () => {
  it("gives blocks that do not overlap and keep their contents", () => {
    fc.assert(fc.property(steps, (sequence) => play(new Blocks(), sequence)), { numRuns: 150 });
  });

  it("stays within its limit, and answers 0 when that is reached", () => {
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 5 }), (sequence, pages) => {
        const blocks = new Blocks();
        blocks.core.exports.memoryLimit(pages);
        play(blocks, sequence);
        assert(blocks.core.bytes.length <= Math.max(pages, new Core().bytes.length / PAGE) * PAGE);
      }),
      { numRuns: 100 },
    );
  });

  it("uses again what was given back", () => {
    const blocks = new Blocks();
    const round = (): void => {
      for (let i = 0; i < 200; i++) assert(blocks.allocate(1 + i * 37));
      while (blocks.blocks.length > 0) blocks.free(7);
    };
    round();
    const before = blocks.core.bytes.length;
    for (let i = 0; i < 20; i++) round();
    assertEquals(blocks.core.bytes.length, before);
  });

  it("halves a large block that was given back for small ones", () => {
    const blocks = new Blocks();
    blocks.core.exports.memoryLimit(blocks.core.bytes.length / PAGE);
    assert(blocks.allocate(32_768));
    while (blocks.allocate(64));
    blocks.free(0);
    let count = 0;
    while (blocks.allocate(64)) count++;
    assertEquals(count, 512);
    blocks.checkAll();
  });

  it("refuses sizes above a gigabyte", () => {
    const core = new Core();
    for (const size of [2 ** 30 + 1, 2 ** 31, 2 ** 32 - 1]) {
      assertEquals(core.exports.alloc(size), 0);
    }
    assertEquals(core.exports.memory.buffer.byteLength, core.bytes.length);
  });

  it("imports nothing and starts small", () => {
    assert(new Core().bytes.length <= 4 * PAGE);
  });
});

describe("CoreMemory", () => {
  it("gives regions that do not overlap, in arenas that never move", () => {
    const memory = new CoreMemory();
    const regions: { region: Region; octets: Uint8Array }[] = [];
    const buffers = new Set<ArrayBuffer>();
    for (let i = 0; i < 150; i++) {
      const size = 4_096 << i % 7;
      const region = memory.allocate(size);
      assertEquals(region.size, size);
      const octets = pattern(size, i);
      region.arena.core.bytes.set(octets, region.address);
      buffers.add(region.arena.core.bytes.buffer);
      regions.push({ region, octets });
      if (i % 5 === 4) memory.release(regions.splice(i % regions.length, 1)[0].region);
    }
    assert(buffers.size > 1, "one arena was enough");
    for (const { region, octets } of regions) {
      assertStrictEquals(region.arena.core.bytes.buffer, region.arena.core.exports.memory.buffer);
      const { arena: { core }, address, size } = region;
      assertOctets(core.bytes.subarray(address, address + size), octets, "a region");
    }
  });

  it("uses released regions again instead of opening arenas", () => {
    const memory = new CoreMemory();
    const cores = new Set<Core>();
    for (let i = 0; i < 500; i++) {
      const regions = [4_096, 65_536, 262_144].map((size) => memory.allocate(size));
      for (const region of regions) {
        cores.add(region.arena.core);
        memory.release(region);
      }
    }
    assertEquals(cores.size, 1);
  });

  it("opens an arena for a region larger than the usual one", () => {
    const memory = new CoreMemory();
    const region = memory.allocate(16 * 1024 * 1024);
    assert(region.arena.core.bytes.length >= region.address + region.size);
  });

  it("keeps the topics of subscribers beside the regions that are filtered by them", () => {
    const memory = new CoreMemory();
    const { filters } = memory;
    assertStrictEquals(memory.filters, filters);
    assertStrictEquals(memory.allocate(4_096, filters).arena, filters);
    assertNotStrictEquals(memory.allocate(4_096).arena, filters);
    assertNotStrictEquals(memory.outboxes, filters.core);
  });

  it("enlarges an arena that a region must lie in, and moves nothing in it", () => {
    const memory = new CoreMemory();
    const { filters } = memory;
    const first = filters.core;
    const regions: { region: Region; octets: Uint8Array }[] = [];
    for (let i = 0; i < 60; i++) {
      const region = memory.allocate(262_144, filters);
      const octets = pattern(100, i);
      filters.core.bytes.set(octets, region.address);
      regions.push({ region, octets });
    }
    assertNotStrictEquals(filters.core, first);
    assertStrictEquals(filters.core.bytes.buffer, filters.core.exports.memory.buffer);
    for (const { region: { arena, address }, octets } of regions) {
      assertStrictEquals(arena, filters);
      assertOctets(arena.core.bytes.subarray(address, address + 100), octets, "a region");
    }
    const size = filters.core.bytes.length;
    for (const { region } of regions) memory.release(region);
    for (let i = 0; i < 60; i++) memory.allocate(262_144, filters);
    assertEquals(filters.core.bytes.length, size, "released regions were not used again");
  });

  it("says so when an arena cannot be enlarged for a region", () => {
    const memory = new CoreMemory();
    const { filters } = memory;
    filters.enlarge = () => false;
    assertThrows(
      () => {
        for (;;) memory.allocate(1024 * 1024, filters);
      },
      RangeError,
      "full",
    );
  });

  it("keeps outboxes apart from what streams read into", () => {
    const memory = new CoreMemory();
    assertStrictEquals(memory.outboxes, memory.outboxes);
    assertNotStrictEquals(memory.outboxes, memory.allocate(4_096).arena.core);
  });
});
