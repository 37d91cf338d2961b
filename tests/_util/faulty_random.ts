// Random numbers from a seed, so that what went wrong can be had again.

/** A source of random numbers; the same seed gives the same ones. */
export class Random {
  #state: number;

  constructor(seed: number | string) {
    this.#state = typeof seed === "number" ? seed >>> 0 : hash(seed);
  }

  /** At least 0 and less than 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let word = this.#state;
    word = Math.imul(word ^ (word >>> 15), word | 1);
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61);
    return ((word ^ (word >>> 14)) >>> 0) / 2 ** 32;
  }

  /** A whole number from `least` to `most`. */
  between(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  /** True as often as `share` says, from 0 to 1. */
  chance(share: number): boolean {
    return this.next() < share;
  }

  /** One of these. */
  of<T>(choices: readonly T[]): T {
    return choices[this.between(0, choices.length - 1)];
  }

  /** Puts a list into another order. */
  shuffle<T>(list: T[]): T[] {
    for (let i = list.length - 1; i > 0; i--) {
      const j = this.between(0, i);
      [list[i], list[j]] = [list[j], list[i]];
    }
    return list;
  }

  /** A source of its own, for something that happens at its own times. */
  fork(): Random {
    return new Random(Math.floor(this.next() * 2 ** 32));
  }
}

/** A number of 32 bits for a text. */
export function hash(text: string): number {
  let sum = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) sum = Math.imul(sum ^ text.charCodeAt(i), 0x01000193);
  return sum >>> 0;
}

/** A seed that nobody has chosen. */
export function freshSeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0];
}
