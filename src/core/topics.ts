// A subscriber's own topics, each counted, beside the memory that its streams read into.

import { TOPIC_LIMIT } from "../../wasm/layout.ts";
import { ZmqError } from "../errors.ts";
import type { Arena, CoreMemory } from "./memory.ts";

export class Topics {
  readonly arena: Arena;
  /** Where the core finds them; the same in every copy of the arena. */
  readonly address: number;
  #freed = false;

  constructor(memory: CoreMemory) {
    this.arena = memory.filters;
    this.address = this.#enlarging(() => this.arena.core.exports.topicsNew());
  }

  /** How many topics there are. */
  get count(): number {
    return this.#freed ? 0 : this.arena.core.exports.topicsCount(this.address);
  }

  /** True when everything matches. */
  get all(): boolean {
    return this.arena.core.exports.topicsAll(this.address) !== 0;
  }

  /**
   * Counts a topic up, and answers its count.
   *
   * @throws {ZmqError} `ENOBUFS` when there is no memory, or never can be.
   */
  add(topic: Uint8Array): number {
    if (topic.length > TOPIC_LIMIT) throw noMemory();
    return this.#enlarging(() => {
      const { core } = this.arena;
      const at = core.place(topic);
      return at === 0 ? 0 : core.exports.topicsAdd(this.address, at, topic.length);
    });
  }

  /** Counts a topic down, and answers what is left; -1 when it was not there. */
  remove(topic: Uint8Array): number {
    const { core } = this.arena;
    const at = core.place(topic);
    return at === 0 ? -1 : core.exports.topicsRemove(this.address, at, topic.length);
  }

  /** True when some topic is the start of the octets. */
  match(octets: Uint8Array): boolean {
    const { core } = this.arena;
    const start = octets.subarray(0, core.exports.topicsLongest(this.address));
    return core.exports.topicsMatch(this.address, core.place(start), start.length) !== 0;
  }

  /** Every topic once, as octets of its own. */
  list(): Uint8Array[] {
    const { core } = this.arena;
    const { exports } = core;
    const out = core.room(exports.topicsLongest(this.address));
    const topics: Uint8Array[] = [];
    for (let topic = 0;;) {
      topic = exports.topicsNext(this.address, topic) >>> 0;
      if (topic === 0) return topics;
      topics.push(core.bytes.slice(out, out + exports.topicsRead(topic, out)));
    }
  }

  /** Gives the memory back; there are no topics any more. */
  free(): void {
    this.#freed = true;
    this.arena.core.exports.topicsFree(this.address);
  }

  /** Calls until the answer is not 0, each time in a larger arena. */
  #enlarging(call: () => number): number {
    for (;;) {
      const answer = call() >>> 0;
      if (answer !== 0) return answer;
      if (!this.arena.enlarge()) throw noMemory();
    }
  }
}

function noMemory(): ZmqError {
  return new ZmqError("ENOBUFS", "Cannot subscribe: the core's memory is exhausted");
}
