// The processes of game servers: more of them, fewer of them.

import { Child } from "./process.ts";

/** So many servers die together. */
const EACH = 5;
/** Longer than the gateway waits for a sign of life. */
const FROZEN_MS = 5_000;

interface Member {
  readonly name: string;
  readonly child: Child;
  readonly count: number;
}

/** All processes of servers. */
export class Crew {
  /** Servers that were killed, that left, and that were frozen for a while, so far. */
  killed = 0;
  left = 0;
  frozen = 0;
  readonly #gateway: string;
  readonly #capacity: number;
  #members: Member[] = [];
  readonly #all: Child[] = [];
  #started = 0;

  constructor(gateway: string, capacity: number) {
    this.#gateway = gateway;
    this.#capacity = capacity;
  }

  /** How many servers there should be now. */
  get size(): number {
    return this.#members.reduce((sum, { count }) => sum + count, 0);
  }

  /** Starts servers until there are so many; a process once there is enough for it to do. */
  grow(size: number): void {
    while (this.size + EACH <= size || (this.size === 0 && size > 0)) {
      this.#start(Math.min(EACH, size - this.size));
    }
  }

  #start(count: number): void {
    const name = `s${++this.#started}`;
    const args = [this.#gateway, name, String(count), String(this.#capacity)];
    const child = new Child("servers.ts", args, () => {});
    this.#members.push({ name, child, count });
    this.#all.push(child);
  }

  /** Kills a process, freezes it for a while, or has it leave; says what. Others are started for those that go. */
  disturb(): string {
    const at = Math.floor(Math.random() * this.#members.length);
    const what = Math.random();
    const { name, child, count } = this.#members[at];
    if (what < 1 / 4) {
      child.freeze(FROZEN_MS);
      this.frozen += count;
      return `${count} servers of ${name} are frozen for ${FROZEN_MS} ms`;
    }
    this.#members.splice(at, 1);
    this.#start(count);
    if (what < 1 / 2) {
      child.order("leave");
      this.left += count;
      return `${count} servers of ${name} leave`;
    }
    child.kill();
    this.killed += count;
    return `kill -9 of ${name} with ${count} servers`;
  }

  /** Ends all of them, those too that are about to leave. */
  kill(): void {
    for (const child of this.#all) child.kill();
  }
}
