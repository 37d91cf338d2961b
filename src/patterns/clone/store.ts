// The values that a client or a server has.

import { Frame } from "../../../mod.ts";
import type { CloneProperties, KeyValue } from "./message.ts";

/** A value and what is known of it. Never changed, only replaced: snapshots may hold it. */
export interface Entry {
  readonly key: string;
  readonly value: Frame;
  readonly uuid: Uint8Array;
  readonly properties: CloneProperties;
  /** When it is to be deleted, by the clock of `now()`; 0 for never. */
  readonly expires: number;
}

/** What an update did. */
export type Applied = "update" | "delete" | "nothing" | "full";

/** Values by their keys, up to a limit. */
export class Store {
  readonly #maxKeys: number;
  #entries: Map<string, Entry> = new Map();
  /** Keys that expire; few of many, mostly. */
  readonly #mortal: Set<string> = new Set();

  constructor(maxKeys: number) {
    this.#maxKeys = maxKeys;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): Entry | undefined {
    return this.#entries.get(key);
  }

  values(): IterableIterator<Entry> {
    return this.#entries.values();
  }

  /** True when a value for this key can be kept. */
  hasRoomFor(key: string): boolean {
    return this.#entries.size < this.#maxKeys || this.#entries.has(key);
  }

  /** Sets or deletes. */
  apply({ key, value, uuid, properties }: KeyValue, expires: number): Applied {
    this.#mortal.delete(key);
    if (value.length === 0) return this.#entries.delete(key) ? "delete" : "nothing";
    if (!this.hasRoomFor(key)) return "full";
    const frame = new Frame(value.buffer, value.byteOffset, value.length);
    this.#entries.set(key, { key, value: frame, uuid, properties, expires });
    if (expires > 0) this.#mortal.add(key);
    return "update";
  }

  /** Takes over all that another store has; what was here before is answered. */
  replace(other: Store): ReadonlyMap<string, Entry> {
    const before = this.#entries;
    this.#entries = other.#entries;
    this.#mortal.clear();
    for (const key of other.#mortal) this.#mortal.add(key);
    return before;
  }

  /** What has lived long enough. */
  expired(time: number): Entry[] {
    const found: Entry[] = [];
    for (const key of this.#mortal) {
      const entry = this.#entries.get(key)!;
      if (entry.expires <= time) found.push(entry);
    }
    return found;
  }
}
