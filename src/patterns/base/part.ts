// What all parts of the patterns have: a life that ends once, events, and options for their sockets.

import { type CommonOptions, type Context, StateError } from "../../../mod.ts";
import { Emitter, type EventMap } from "./emitter.ts";

/** Options of every part of a pattern. */
export interface PartOptions {
  /** Closes the part when it is aborted. */
  readonly signal?: AbortSignal | undefined;
  /**
   * The context of its sockets.
   * @default {context} The one that sockets have by default.
   */
  readonly context?: Context | undefined;
  /** Options for all sockets that it makes: security, keep-alives, limits. Those that the pattern needs win. */
  readonly socketOptions?: Readonly<Partial<CommonOptions>> | undefined;
}

/** Options for a socket of a part: the user's, then those that the pattern needs. */
export function socketSettings<T extends object>(
  options: PartOptions,
  needed: T,
): Partial<CommonOptions> & { context?: Context } & T {
  const { context, socketOptions } = options;
  return { ...socketOptions, ...needed, ...(context && { context }) };
}

/** The base of all parts of the patterns: clients, workers, brokers. */
export abstract class Part<E extends EventMap> implements AsyncDisposable {
  /** What happens to it. */
  readonly events: Emitter<E> = new Emitter();
  readonly #aborting = new AbortController();
  readonly #signal: AbortSignal | undefined;
  #end: Promise<void> | undefined;

  /** @internal */
  constructor({ signal }: PartOptions) {
    this.#signal = signal;
    // Not at once: the subclass is not there yet.
    if (signal?.aborted) queueMicrotask(this.#abort);
    else signal?.addEventListener("abort", this.#abort);
  }

  readonly #abort = (): void => {
    // Who wants to know how it went calls `close`, which answers the same promise.
    this.close().catch(() => {});
  };

  /** True from the call of `close` on. */
  get closed(): boolean {
    return this.#end !== undefined;
  }

  /** Aborted by `close`: for all that waits inside the part. */
  protected get closing(): AbortSignal {
    return this.#aborting.signal;
  }

  /**
   * Ends its work and closes its sockets; what was accepted is still sent for as long as `linger` allows. Calling it again
   * answers the same promise.
   */
  close(): Promise<void> {
    if (this.#end === undefined) {
      this.#signal?.removeEventListener("abort", this.#abort);
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#end = promise;
      this.#aborting.abort(new StateError("EBADF", `${this.constructor.name} is closed`));
      // Nothing is thrown here, not even by a part whose constructor has failed and whose signal is aborted.
      resolve((async () => await this.shut())());
    }
    return this.#end;
  }

  /** Closes it, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** @internal Closes sockets, stops timers, rejects what waits. Called once. */
  protected abstract shut(): Promise<void>;

  /** @internal For calls that make no sense after `close`. */
  protected assertOpen(): void {
    this.closing.throwIfAborted();
  }
}
