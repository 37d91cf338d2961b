// How both sides count round trips: so many requests are under way at any time, the clock starts after the warm-up.

const LOOK = 64; // the clock is read once in so many replies

/** Counts what `replied` is told of, and prints it when the time is over. */
export class Count {
  #start = performance.now();
  #from = 0;
  #count = 0;
  #left = LOOK;
  #warmup;
  #window;
  #end;

  constructor(warmup, window, end) {
    this.#warmup = warmup;
    this.#window = window;
    this.#end = end;
  }

  /** One more round trip; false when it is time to end. */
  replied() {
    this.#count++;
    if (--this.#left > 0) return true;
    this.#left = this.#count < 10_000 && this.#from === 0 ? 8 : LOOK;
    const now = performance.now();
    if (this.#from === 0) {
      if (now - this.#start < this.#warmup) return true;
      this.#from = now;
      this.#count = 0;
    } else if (now - this.#from >= this.#window) {
      this.#end({ count: this.#count, seconds: (now - this.#from) / 1000 });
      return false;
    }
    return true;
  }
}
