// What the process holds in memory.

const { process, gc, Bun } = globalThis as unknown as {
  process: { memoryUsage(): { rss: number; heapUsed: number; external: number } };
  gc?: () => void;
  Bun?: { gc(synchronous: boolean): void };
};

/** True where garbage can be collected before memory is looked at. */
export const canCollect: boolean = gc !== undefined || Bun !== undefined;

/** Resident octets, without garbage as far as the runtime can be asked to collect it. */
export function memory(): number {
  gc?.();
  Bun?.gc(true);
  return process.memoryUsage().rss;
}

/**
 * Octets that are in use, without what the allocator keeps for later: steadier than resident ones, but blind to the memory
 * of WebAssembly.
 */
export function memoryInUse(): number {
  gc?.();
  Bun?.gc(true);
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
