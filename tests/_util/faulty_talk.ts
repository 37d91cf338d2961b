// Messages that can be told from each other, sent and received over a faulty network, and what is asked of that.

import { fail } from "@std/assert";
import { textOf, utf8 } from "./bytes.ts";
import { Random } from "./faulty_random.ts";
import { pattern, sameOctets } from "./octets.ts";

/** Sizes of frames: short, at the edge of the long form, in the ring, by reference, and too long for one write. */
const SIZES = [0, 1, 5, 30, 30, 255, 256, 1_000, 9_000, 33_000, 140_000] as const;

/** Messages by their numbers: the same number always is the same message. */
export class Messages {
  readonly #seed: number;
  readonly #longest: number;

  /** No frame is longer than `longest`. */
  constructor(seed: number, longest: number) {
    this.#seed = seed;
    this.#longest = longest;
  }

  make(number: number): Uint8Array[] {
    const random = new Random(`${this.#seed} message ${number}`);
    const frames = [utf8(String(number))];
    const sizes = SIZES.filter((size) => size <= this.#longest);
    for (let left = random.of([0, 0, 1, 1, 2, 4]); left > 0; left--) {
      frames.push(pattern(random.of(sizes), number + left));
    }
    return frames;
  }

  /** The number of a message that arrived; it has to be as it was sent. */
  read(frames: readonly Uint8Array[]): number {
    const number = Number(textOf(frames[0]));
    const made = this.make(number);
    const same = frames.length === made.length &&
      made.every((frame, i) => sameOctets(frame, frames[i]));
    if (!same) {
      const sizes = (list: readonly Uint8Array[]) => list.map(({ length }) => length).join("+");
      fail(`message ${number} came as ${sizes(frames)} octets instead of ${sizes(made)}`);
    }
    return number;
  }
}

/** What came. */
export class Received {
  readonly #messages: Messages;
  readonly numbers: number[] = [];

  constructor(messages: Messages) {
    this.#messages = messages;
  }

  add(message: readonly Uint8Array[]): void {
    this.numbers.push(this.#messages.read(message));
  }

  /** Every message came, and came once. */
  assertOnce(count: number): void {
    const counts = new Map<number, number>();
    for (const number of this.numbers) counts.set(number, (counts.get(number) ?? 0) + 1);
    const lost: number[] = [];
    for (let i = 0; i < count; i++) if (!counts.has(i)) lost.push(i);
    const twice = [...counts].filter(([, times]) => times > 1).map(([number]) => number);
    if (lost.length + twice.length > 0) fail(`lost: ${ranges(lost)}; twice: ${ranges(twice)}`);
  }

  /** Nothing came twice. */
  assertNotTwice(): void {
    if (new Set(this.numbers).size < this.numbers.length) fail(`twice: ${this.numbers.join(" ")}`);
  }

  /** They came in the order in which they were sent. */
  assertInOrder(): void {
    for (let i = 1; i < this.numbers.length; i++) {
      if (this.numbers[i] > this.numbers[i - 1]) continue;
      fail(`${this.numbers[i]} came after ${this.numbers[i - 1]}: ${this.numbers.join(" ")}`);
    }
  }
}

/** As 1-3 5 8-9. */
function ranges(numbers: readonly number[]): string {
  const starts = numbers.filter((number, i) => numbers[i - 1] !== number - 1);
  const ends = numbers.filter((number, i) => numbers[i + 1] !== number + 1);
  return starts.map((start, i) => start === ends[i] ? `${start}` : `${start}-${ends[i]}`).join(" ");
}
