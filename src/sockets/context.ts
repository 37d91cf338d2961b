// What sockets share: the runtime, the clock, the core's memory.

import { systemClock } from "../clock.ts";
import { CoreMemory } from "../core/memory.ts";
import { withCode } from "../errors.ts";
import type { Surroundings } from "../link/host.ts";
import { KeepAlive } from "../link/keep_alive.ts";
import type { Runtime } from "../link/stream.ts";
import { Turns } from "../link/turns.ts";
import { detectRuntime } from "../runtime/detect.ts";
import { Pace } from "./pace.ts";

/** Settings of a `Context`. */
export interface ContextOptions {
  /**
   * The runtime whose sockets are used.
   * @default {the one that runs the program}
   */
  readonly runtime?: Runtime;
}

/** A context with what only sockets need of it. */
export interface ContextParts extends Surroundings {
  readonly pace: Pace;
}

/** Made at the first socket: importing the package does nothing. */
const made: WeakMap<Context, ContextParts> = new WeakMap();

/**
 * A group of sockets that share memory and a runtime. Most programs do with the default one, `context`.
 *
 * @example Sockets of a context of their own
 * ```ts
 * import { Context, Push } from "@wasmq/wasmq";
 *
 * const push = new Push({ context: new Context() });
 * await push.close();
 * ```
 */
export class Context {
  /** The runtime that was given, or undefined. */
  readonly runtime: Runtime | undefined;

  /** Makes a context; nothing is started or looked up before its first socket. */
  constructor(options: ContextOptions = {}) {
    for (const name of Object.keys(options)) {
      if (name === "runtime") continue;
      throw withCode(new TypeError(`Unknown option ${name}: a Context has only runtime`), "EINVAL");
    }
    this.runtime = options.runtime;
  }
}

/** The context of sockets that are not given one. */
export const context: Context = new Context();

/** What the sockets of a context share. */
export function partsOf(context: Context): ContextParts {
  if (!(context instanceof Context)) {
    throw withCode(
      new TypeError(`The option context must be a Context, not ${typeof context}`),
      "EINVAL",
    );
  }
  let parts = made.get(context);
  if (parts === undefined) {
    const runtime = context.runtime ?? detectRuntime();
    const clock = systemClock((timer) => runtime.unrefTimer(timer), runtime.turnsToPoll ?? 1);
    const turns = new Turns(clock);
    parts = {
      runtime,
      clock,
      memory: new CoreMemory(),
      turns,
      keepAlive: new KeepAlive(clock, turns),
      pace: new Pace(clock, turns),
    };
    made.set(context, parts);
  }
  return parts;
}
