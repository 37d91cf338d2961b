// Waiting for one of several sockets.

import type { Cancel } from "../clock.ts";
import { withCode } from "../errors.ts";
import { context, partsOf } from "./context.ts";
import type { Engine } from "./engine.ts";
import { engineOf } from "./inside.ts";
import type { OperationOptions } from "./queue.ts";
import { Socket } from "./socket.ts";

/** What to wait for on a socket; a socket alone stands for `readable`. */
export interface PollItem<S extends Socket = Socket> {
  /** The socket. */
  readonly socket: S;
  /** Wait until a message can be received. */
  readonly readable?: boolean;
  /** Wait until a message can be sent. */
  readonly writable?: boolean;
}

/** A socket that is ready for what was waited for. */
export interface PollResult<S extends Socket = Socket> {
  /** The socket. */
  readonly socket: S;
  /** A message can be received at once; false when that was not asked. */
  readonly readable: boolean;
  /** A message can be sent at once; false when that was not asked. */
  readonly writable: boolean;
}

/** How long to wait. */
export interface PollOptions extends OperationOptions {
  /**
   * Milliseconds: 0 looks once, -1 waits for ever.
   * @default {-1}
   */
  readonly timeout?: number;
}

interface Watched<S extends Socket> {
  readonly socket: S;
  readonly engine: Engine;
  readonly readable: boolean;
  readonly writable: boolean;
}

/**
 * Waits until at least one of several sockets is ready, and answers all that are; none after the timeout. Nothing is taken
 * from a socket: `receive` on a readable one does not have to wait, unless somebody else was faster. The counterpart of
 * `zmq_poll`.
 *
 * Rejects with `EBADF` when one of the sockets is closed, before or meanwhile (`ETERM` when that came from its context), and
 * the signal's reason when cancelled. It keeps the process alive while it waits.
 *
 * @throws {TypeError} Rejects with `EINVAL` for what is neither a socket nor an item with one.
 *
 * @example Take from whoever has something
 * ```ts
 * import { poll, Pull, Push } from "@wasmq/wasmq";
 *
 * const urgent = new Pull();
 * await urgent.bind("inproc://urgent");
 * const rest = new Pull();
 * await rest.bind("inproc://rest");
 * const push = new Push();
 * push.connect("inproc://rest");
 * await push.send("no hurry");
 *
 * for (const { socket } of await poll([urgent, rest], { timeout: 1000 })) {
 *   console.log(String(await socket.receive())); // "no hurry"
 * }
 * console.log(await poll([urgent, rest], { timeout: 10 })); // []
 *
 * await push.close();
 * await urgent.close();
 * await rest.close();
 * ```
 */
export async function poll<S extends Socket>(
  items: readonly (S | PollItem<S>)[],
  options: PollOptions = {},
): Promise<PollResult<S>[]> {
  const { timeout = -1, signal } = options;
  if (!Array.isArray(items)) {
    throw withCode(new TypeError("Cannot poll this: expected an array of sockets"), "EINVAL");
  }
  if (!Number.isInteger(timeout) || timeout < -1) {
    throw withCode(
      new RangeError(`Cannot poll for ${timeout} ms: expected -1, 0 or more`),
      "EINVAL",
    );
  }
  signal?.throwIfAborted();
  const watched = items.map(watchedOf);
  const ready = readyOf(watched);
  if (ready.length > 0 || timeout === 0) {
    // A loop that never has to wait must let the event loop come round all the same.
    const { pace } = watched[0]?.engine.around ?? partsOf(context);
    if (pace.tired()) await pace.rest();
    return ready;
  }
  return await wait(watched, timeout, signal);
}

function watchedOf<S extends Socket>(item: S | PollItem<S>): Watched<S> {
  const { socket, readable = false, writable = false }: PollItem<S> = item instanceof Socket
    ? { socket: item, readable: true }
    : item ?? {};
  if (!(socket instanceof Socket)) {
    throw withCode(
      new TypeError("Cannot poll this: expected sockets, or objects with a socket"),
      "EINVAL",
    );
  }
  return { socket, engine: engineOf(socket), readable, writable };
}

function readyOf<S extends Socket>(all: readonly Watched<S>[]): PollResult<S>[] {
  const results: PollResult<S>[] = [];
  for (const { socket, engine, ...asked } of all) {
    if (engine.closed) throw engine.closingReason;
    const readable = asked.readable && engine.readable;
    const writable = asked.writable && engine.writable;
    if (readable || writable) results.push({ socket, readable, writable });
  }
  return results;
}

function wait<S extends Socket>(
  watched: readonly Watched<S>[],
  timeout: number,
  signal: AbortSignal | undefined,
): Promise<PollResult<S>[]> {
  return new Promise((resolve, reject) => {
    const around = watched[0]?.engine.around ?? partsOf(context);
    let cancel: Cancel | undefined;
    const settle = (call: () => void) => {
      cancel?.();
      signal?.removeEventListener("abort", abort);
      for (const { engine } of watched) engine.unwatch(look);
      around.keepAlive.release();
      call();
    };
    const look = () => {
      try {
        const ready = readyOf(watched);
        if (ready.length > 0) settle(() => resolve(ready));
      } catch (error) {
        settle(() => reject(error));
      }
    };
    const abort = () => settle(() => reject(signal!.reason));
    around.keepAlive.acquire();
    signal?.addEventListener("abort", abort);
    if (timeout > 0) cancel = around.clock.after(timeout, () => settle(() => resolve([])));
    for (const { engine } of watched) engine.watch(look);
  });
}
