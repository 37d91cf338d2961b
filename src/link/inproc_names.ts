// The names of the inproc transport in one context: who is bound, and who waits for that.

/** A socket bound to a name. */
export interface InprocBound {
  readonly name: string;
}

/** A socket that wants to connect to a name. */
export interface InprocWaiting<B extends InprocBound> {
  /** Somebody is bound to the name. */
  meet(bound: B): void;
}

export class InprocNames<B extends InprocBound = InprocBound> {
  readonly #bound: Map<string, B> = new Map();
  readonly #waiting: Map<string, Set<InprocWaiting<B>>> = new Map();
  /** Messages appended by all sockets of the context: who wakes others sees whether there is a pause. */
  appended = 0;
  /** Nobody will be bound any more. */
  closed = false;

  /** The context is terminated. */
  close(): void {
    this.closed = true;
  }

  find(name: string): B | undefined {
    return this.#bound.get(name);
  }

  /** The name, which must be free, is bound. Those who wait for it are called. */
  bind(bound: B): void {
    const { name } = bound;
    this.#bound.set(name, bound);
    const waiting = this.#waiting.get(name) ?? [];
    this.#waiting.delete(name);
    for (const each of waiting) each.meet(bound);
  }

  unbind({ name }: B): void {
    this.#bound.delete(name);
  }

  /** `waiting` is called when the name is bound next. */
  wait(name: string, waiting: InprocWaiting<B>): void {
    let all = this.#waiting.get(name);
    if (all === undefined) this.#waiting.set(name, all = new Set());
    all.add(waiting);
  }

  forget(name: string, waiting: InprocWaiting<B>): void {
    const all = this.#waiting.get(name);
    if (all?.delete(waiting) && all.size === 0) this.#waiting.delete(name);
  }
}
