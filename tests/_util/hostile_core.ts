// The core that a socket's outboxes and topics are in, for tests that look at its memory or limit it.

import type { Core } from "../../src/core/instance.ts";
import { CoreMemory } from "../../src/core/memory.ts";
import { PAGE } from "../../src/core/instance.ts";

/** What `open` answers, and the core that the sockets of its context use. */
export async function withCore<T>(open: () => Promise<T>): Promise<[T, Core]> {
  const usual = Object.getOwnPropertyDescriptor(CoreMemory.prototype, "outboxes")!;
  let seen: Core | undefined;
  Object.defineProperty(CoreMemory.prototype, "outboxes", {
    ...usual,
    get(this: CoreMemory): Core {
      return seen = usual.get!.call(this);
    },
  });
  try {
    return [await open(), seen!];
  } finally {
    Object.defineProperty(CoreMemory.prototype, "outboxes", usual);
  }
}

/** Octets of a core's memory. */
export function sizeOf(core: Core): number {
  if (core.bytes.length === 0) core.refresh();
  return core.bytes.length;
}

/** Lets a core's memory grow by so many octets, and no more. */
export function allowMore(core: Core, octets: number): void {
  core.exports.memoryLimit((sizeOf(core) + octets) / PAGE);
}
