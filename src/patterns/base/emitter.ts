// Events of a pattern: typed, and told at once.

/** For each name of an event what its listeners are given. */
export type EventMap = object;

/** Called with each event of one type. */
export type Listener<T> = (event: T) => void;

interface Listening<E> {
  readonly type: keyof E;
  readonly listener: (event: never) => void;
  readonly once: boolean;
}

/**
 * Where a pattern tells what happens to it. Listeners are called in the order in which they were added; what one throws is
 * an uncaught error of the program, the pattern does not notice.
 */
export class Emitter<E extends EventMap> {
  #all: readonly Listening<E>[] = [];

  /** Has `listener` called with each event of a type. */
  on<T extends keyof E>(type: T, listener: Listener<E[T]>): this {
    this.#all = [...this.#all, { type, listener, once: false }];
    return this;
  }

  /** Has `listener` called with the next event of a type. */
  once<T extends keyof E>(type: T, listener: Listener<E[T]>): this {
    this.#all = [...this.#all, { type, listener, once: true }];
    return this;
  }

  /** Has it not called any more, once for each `on` or `once`. */
  off<T extends keyof E>(type: T, listener: Listener<E[T]>): this {
    const at = this.#all.findLastIndex((each) => each.type === type && each.listener === listener);
    if (at >= 0) this.#all = this.#all.toSpliced(at, 1);
    return this;
  }

  /** True when somebody listens: what is costly to tell need not be made for nobody. */
  heard(type: keyof E): boolean {
    return this.#all.some((each) => each.type === type);
  }

  /** @internal Tells everybody. An `error` that nobody listens for is an uncaught error of the program. */
  emit<T extends keyof E>(type: T, event: E[T]): void {
    if (type === "error" && !this.heard(type)) throwLater((event as { error: unknown }).error);
    for (const each of this.#all) {
      if (each.type !== type) continue;
      if (each.once) this.#all = this.#all.filter((other) => other !== each);
      try {
        (each.listener as Listener<E[T]>)(event);
      } catch (error) {
        throwLater(error);
      }
    }
  }
}

function throwLater(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
