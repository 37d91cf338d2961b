// What sockets share: the runtime, the clock, the core's memory, the names of the inproc transport, and common settings.

import { defineAccessors } from "../accessors.ts";
import { systemClock } from "../clock.ts";
import { CoreMemory } from "../core/memory.ts";
import { withCode, ZmqError } from "../errors.ts";
import type { Surroundings } from "../link/host.ts";
import { InprocNames } from "../link/inproc_names.ts";
import { KeepAlive } from "../link/keep_alive.ts";
import type { Runtime } from "../link/stream.ts";
import { Turns } from "../link/turns.ts";
import { FrameMaker } from "../routing/frame_maker.ts";
import { currentNetwork, currentRuntime } from "../runtime/current.ts";
import { checkSetting, type ContextSettings, DEFAULT_SETTINGS } from "./context_settings.ts";
import { Pace } from "./pace.ts";
import { Sockets } from "./sockets.ts";

/** Settings of a `Context`, each of which may be left out. */
export interface ContextOptions extends Partial<ContextSettings> {
  /**
   * The runtime whose sockets are used.
   * @default {the one that runs the program}
   */
  readonly runtime?: Runtime;
}

/** A context with what only sockets need of it. */
export interface ContextParts extends Surroundings {
  readonly pace: Pace;
  readonly sockets: Sockets;
}

/** Made at the first socket: importing the package does nothing. */
const made: WeakMap<Context, ContextParts> = new WeakMap();
const socketsOf: WeakMap<Context, Sockets> = new WeakMap();

/**
 * A group of sockets that share memory, a runtime, and the names of the inproc transport. Most programs do with the
 * default one, `context`.
 *
 * @example Sockets that end together
 * ```ts
 * import { Context, Pair } from "@wasmq/wasmq";
 *
 * const context = new Context({ blocky: false });
 * const left = new Pair({ context });
 * await left.bind("inproc://middle");
 * const right = new Pair({ context });
 * right.connect("inproc://middle");
 * await right.send("hello");
 * console.log(String(await left.receive())); // "hello"
 *
 * await context.terminate();
 * console.log(left.closed, right.closed); // true true
 * ```
 */
export class Context {
  readonly #runtime: Runtime | undefined;
  #terminating: Promise<void> | undefined;

  /**
   * Makes a context; nothing is started or looked up before its first socket.
   *
   * @throws {TypeError} `EINVAL` for an unknown option, or a value of the wrong type.
   * @throws {RangeError} `EINVAL` for a value out of range.
   */
  constructor(options: ContextOptions = {}) {
    if (typeof options !== "object" || options === null) {
      throw withCode(new TypeError("Options must be an object"), "EINVAL");
    }
    const { runtime, ...settings } = options;
    this.#runtime = runtime;
    socketsOf.set(this, new Sockets({ ...DEFAULT_SETTINGS }));
    for (const [name, value] of Object.entries(settings)) {
      if (!Object.hasOwn(DEFAULT_SETTINGS, name)) {
        throw withCode(
          new TypeError(`Unknown option ${name}: a Context does not have it`),
          "EINVAL",
        );
      }
      if (value !== undefined) (this as Record<string, unknown>)[name] = value;
    }
    if (new.target === Context) Object.preventExtensions(this);
  }

  /** The runtime that was given, or undefined. */
  get runtime(): Runtime | undefined {
    return this.#runtime;
  }

  /** The most that `maxSockets` can be. `ZMQ_SOCKET_LIMIT`. */
  get maxSocketsLimit(): number {
    return 65535;
  }

  /** True from the call of `terminate` on. */
  get closed(): boolean {
    return this.#terminating !== undefined;
  }

  /**
   * Closes all sockets of the context, each as its `linger` says, and resolves when that is over. Pending operations
   * reject with `ETERM`; a new socket is an error (`EFAULT`). `zmq_ctx_term`.
   */
  terminate(): Promise<void> {
    made.get(this)?.inproc.close();
    return this.#terminating ??= socketsOf.get(this)!.terminate();
  }

  /** Terminates the context, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.terminate();
  }
}

/** The settings of a context. */
export interface Context extends ContextSettings {}

defineAccessors(
  Context,
  Object.keys(DEFAULT_SETTINGS),
  (context) => socketsOf.get(context)!.settings,
  checkSetting,
);

/** The context of sockets that are not given one; on workerd each of those has one of its own. */
export const context: Context = new Context();

/** The context of a socket that is not given one. */
export function usualContext(): Context {
  return currentRuntime().isolated === true ? new Context() : context;
}

/**
 * What the sockets of a context share.
 *
 * @throws {TypeError} `EINVAL` for what is no context.
 * @throws {ZmqError} `EFAULT` when it is closed.
 */
export function partsOf(context: Context): ContextParts {
  if (!(context instanceof Context)) {
    throw withCode(
      new TypeError(`The option context must be a Context, not ${typeof context}`),
      "EINVAL",
    );
  }
  if (context.closed) {
    throw new ZmqError("EFAULT", "Context is closed: it was terminated, and has no new sockets");
  }
  let parts = made.get(context);
  if (parts === undefined) made.set(context, parts = makeParts(context));
  return parts;
}

function makeParts(context: Context): ContextParts {
  const runtime = context.runtime ?? currentRuntime();
  const clock = systemClock(
    (timer) => runtime.unrefTimer(timer),
    runtime.turnsToPoll ?? 1,
    runtime.turn && ((call) => runtime.turn!(call)),
  );
  const turns = new Turns(clock);
  return {
    runtime,
    network: currentNetwork(),
    clock,
    memory: new CoreMemory(),
    turns,
    keepAlive: new KeepAlive(clock, turns),
    frames: new FrameMaker(runtime.pooledFrames ?? Infinity),
    inproc: new InprocNames(),
    pace: new Pace(clock, turns),
    sockets: socketsOf.get(context)!,
  };
}
