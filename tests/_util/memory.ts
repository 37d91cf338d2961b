// What the process holds in memory.

const { process, gc, Bun } = globalThis as unknown as {
  process: { memoryUsage(): { rss: number } };
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
