// A tape of random octets. A case is made by reading it from its start, so the tape is the case: written down it can be
// played again, and made shorter or smaller it is a simpler case. Zero always stands for the simplest choice.

/** Spreads seeds that lie close together; the parts may be numbers or names. */
export function mix(...parts: readonly (number | string)[]): number {
  let hash = 0x811c9dc5;
  for (const part of parts) {
    for (const char of `${part}/`) hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193);
    hash = Math.imul(hash ^ hash >>> 15, 0x85ebca6b);
  }
  return (hash ^ hash >>> 13) >>> 0;
}

/** Random octets, or recorded ones; behind the end of a record there are only zeros. */
export class Tape {
  readonly #octets: number[];
  readonly #random: boolean;
  #state: number;
  #at = 0;

  private constructor(octets: number[], random: boolean, seed: number) {
    this.#octets = octets;
    this.#random = random;
    this.#state = seed;
  }

  static random(seed: number): Tape {
    return new Tape([], true, seed);
  }

  static of(octets: Uint8Array): Tape {
    return new Tape([...octets], false, 0);
  }

  /** What was read so far. */
  get read(): Uint8Array {
    return Uint8Array.from(this.#octets.slice(0, this.#at));
  }

  octet(): number {
    if (this.#at === this.#octets.length && this.#random) this.#octets.push(this.#next() >>> 24);
    return this.#octets[this.#at++] ?? 0;
  }

  /** A number from 0 to `count - 1`. */
  below(count: number): number {
    if (count <= 1) return 0;
    let value = this.octet();
    for (let most = 256; most < count; most *= 256) value = value * 256 + this.octet();
    return value % count;
  }

  /** A number from `least` to `most`. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }

  /** True once in so many cases. */
  oneIn(count: number): boolean {
    return this.below(count) === count - 1;
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)];
  }

  /** As many values as it takes until `most`, usually a few. */
  list<T>(most: number, make: () => T): T[] {
    const size = this.oneIn(4) ? this.below(most + 1) : this.below(Math.min(most, 5) + 1);
    return Array.from({ length: size }, make);
  }

  octets(size: number): Uint8Array<ArrayBuffer> {
    return Uint8Array.from({ length: size }, () => this.octet());
  }

  #next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let value = this.#state;
    value = Math.imul(value ^ value >>> 15, value | 1);
    value ^= value + Math.imul(value ^ value >>> 7, value | 61);
    return (value ^ value >>> 14) >>> 0;
  }
}
