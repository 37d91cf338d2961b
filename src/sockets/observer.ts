// The events of one socket, as zeromq.js shows them.

import { StateError, withCode } from "../errors.ts";
import type { Event, EventOfType, EventType, Monitor } from "../events.ts";
import { engineOf } from "./inside.ts";
import { type OperationOptions, OperationQueue } from "./queue.ts";
import type { Socket } from "./socket.ts";

/** So many events are kept for who does not read them; then the oldest go. */
const KEPT = 1000;

/** Something that has listeners called with events, as an `Observer` does. */
export interface EventSubscriber {
  /** Has `listener` called with each event of a type. */
  on<E extends EventType>(type: E, listener: EventListener<E>): EventSubscriber;
  /** Has it not called any more. */
  off<E extends EventType>(type: E, listener: EventListener<E>): EventSubscriber;
}

/** Called with the events of one type. */
export type EventListener<E extends EventType = EventType> = (event: EventOfType<E>) => void;

interface Listening {
  readonly listener: unknown;
  readonly call: (event: Event) => void;
  readonly once: boolean;
}

/**
 * Watches what happens on a socket's endpoints: see `Event` for all there is. Every socket has one, `events`; nothing is
 * recorded before it is asked for. Either read the events, by `receive` or by iterating, or have listeners called.
 *
 * The last 1000 events are kept for who reads them later, or until the first listener is there. A pending `receive` keeps the process alive, listeners do not.
 * What a listener throws is an uncaught error of the program; the socket does not notice.
 *
 * @example See a peer come
 * ```ts
 * import { Pull, Push } from "@wasmq/wasmq";
 *
 * const pull = new Pull();
 * pull.events.on("handshake", ({ peerAddress }) => console.log("hello", peerAddress));
 * await pull.bind("tcp://127.0.0.1:*");
 * const push = new Push();
 * push.connect(pull.lastEndpoint!);
 * await push.send("work");
 * await pull.receive();
 *
 * await push.close();
 * await pull.close();
 * ```
 */
export class Observer implements EventSubscriber {
  readonly #monitor: Monitor;
  readonly #waiting: OperationQueue<undefined, Event>;
  readonly #listeners: Map<EventType, readonly Listening[]> = new Map();
  #events: Event[] = [];
  /** Events go to listeners, not to `receive`. */
  #emitting = false;
  #scheduled = false;
  #closed = false;

  /** Watches a socket from now on; mostly `socket.events` is what one wants. */
  constructor(socket: Socket) {
    const { monitor, around, closed } = engineOf(socket);
    this.#monitor = monitor;
    this.#waiting = new OperationQueue(around, "event");
    this.#closed = closed;
    if (!closed) monitor.watch(this.#take);
  }

  /** True after `close`, and when the last event of a closed socket, `end`, was received or told. */
  get closed(): boolean {
    return this.#closed;
  }

  /**
   * The next event. Several calls may wait; they are served in order.
   *
   * Rejects with `EBADF` when no event can come any more, `EINVAL` after `on` or `once`, and the signal's reason when
   * cancelled.
   */
  receive(options?: OperationOptions): Promise<Event> {
    try {
      options?.signal?.throwIfAborted();
      if (this.#closed) throw observerClosed();
      if (this.#emitting) throw emitting();
      const event = this.#waiting.length === 0 ? this.#events.shift() : undefined;
      if (event === undefined) return this.#waiting.add(undefined, -1, options?.signal);
      if (event.type === "end") this.close();
      return Promise.resolve(event);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Iterates over the events; ends after `end`, or when the observer is closed. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Event> {
    const over = { value: undefined, done: true } as const;
    const left = new AbortController();
    return {
      next: async () => {
        if (this.#closed || left.signal.aborted) return over;
        try {
          return { value: await this.receive({ signal: left.signal }), done: false };
        } catch (error) {
          if (this.#closed || left.signal.aborted) return over;
          throw error;
        }
      },
      return: () => {
        left.abort();
        return Promise.resolve(over);
      },
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }

  /**
   * Has `listener` called with each event of a type, also with those that were kept until now.
   *
   * @throws {StateError} `EBADF` when the observer is closed.
   * @throws {TypeError} `EINVAL` for what is no function.
   */
  on<E extends EventType>(type: E, listener: EventListener<E>): this {
    return this.#add(type, listener, false);
  }

  /**
   * Has `listener` called with the next event of a type.
   *
   * @throws {StateError} `EBADF` when the observer is closed.
   * @throws {TypeError} `EINVAL` for what is no function.
   */
  once<E extends EventType>(type: E, listener: EventListener<E>): this {
    return this.#add(type, listener, true);
  }

  #add<E extends EventType>(type: E, listener: EventListener<E>, once: boolean): this {
    if (this.#closed) throw observerClosed();
    if (typeof listener !== "function") {
      throw withCode(
        new TypeError(`A listener must be a function, not ${typeof listener}`),
        "EINVAL",
      );
    }
    this.#emitting = true;
    this.#waiting.rejectAll(emitting);
    const all = this.#listeners.get(type) ?? [];
    const call = listener as (event: Event) => void;
    this.#listeners.set(type, [...all, { listener, call, once }]);
    this.#schedule();
    return this;
  }

  /** Has `listener` not called any more, once for each `on` or `once`. */
  off<E extends EventType>(type: E, listener: EventListener<E>): this {
    const all = this.#listeners.get(type) ?? [];
    const at = all.findLastIndex((each) => each.listener === listener);
    if (at >= 0) this.#listeners.set(type, all.toSpliced(at, 1));
    return this;
  }

  /** Stops watching. Pending calls of `receive` reject with `EBADF`. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#events = [];
    this.#monitor.unwatch(this.#take);
    this.#waiting.rejectAll(observerClosed);
  }

  readonly #take = (event: Event): void => {
    if (this.#waiting.length > 0) {
      this.#waiting.resolve(event);
      if (event.type === "end") this.close();
      return;
    }
    this.#events.push(event);
    if (this.#events.length > KEPT) this.#events.shift();
    if (this.#emitting) this.#schedule();
  };

  /** Nobody is called at once: the socket is in the middle of something. */
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(this.#deliver);
  }

  readonly #deliver = (): void => {
    this.#scheduled = false;
    for (let event = this.#events.shift(); event !== undefined; event = this.#events.shift()) {
      for (const each of this.#listeners.get(event.type) ?? []) this.#call(each, event);
      if (event.type === "end") this.close();
    }
  };

  #call(listening: Listening, event: Event): void {
    const all = this.#listeners.get(event.type)!;
    // An earlier one may have taken it off.
    if (!all.includes(listening)) return;
    if (listening.once) {
      this.#listeners.set(event.type, all.filter((each) => each !== listening));
    }
    try {
      listening.call(event);
    } catch (error) {
      // It is the program's, not the socket's: nobody else goes without the event.
      queueMicrotask(() => {
        throw error;
      });
    }
  }
}

function observerClosed(): StateError {
  return new StateError("EBADF", "Observer is closed");
}

function emitting(): StateError {
  return new StateError(
    "EINVAL",
    "Observer is in event emitter mode: after on or once events go to listeners only",
  );
}
