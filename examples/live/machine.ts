// The figures of the machine.

import { cpus } from "node:os";
import type { CpuFigures, MemoryFigures } from "./topics.ts";

interface Times {
  readonly busy: number;
  readonly all: number;
}

export class Machine {
  #last: Times[] = timesOf();

  /** How busy the processors were since the last call. */
  cpu(): Omit<CpuFigures, "at"> {
    const times = timesOf();
    const cores = times.map(({ busy, all }, core) => {
      const before = this.#last[core];
      return all > before.all ? (busy - before.busy) / (all - before.all) : 0;
    });
    this.#last = times;
    return { cores };
  }

  memory(): Omit<MemoryFigures, "at"> {
    const { total, available } = Deno.systemMemoryInfo();
    return { total, used: total - available, own: Deno.memoryUsage().rss };
  }
}

function timesOf(): Times[] {
  return cpus().map(({ times }) => {
    const all = Object.values(times).reduce((sum, time) => sum + time, 0);
    return { busy: all - times.idle, all };
  });
}
