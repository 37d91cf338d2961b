// The settings of a context: what they mean, and how a value is checked.

import { outOfRange, wrongType } from "../option_values.ts";

/** Settings that the sockets of a context have in common. */
export interface ContextSettings {
  /**
   * How many sockets may be open at once; another one is an error (`EMFILE`). `ZMQ_MAX_SOCKETS`.
   * @default {1023}
   */
  maxSockets: number;
  /**
   * The longest frame that is sent or received, in octets; `maxMessageSize` of a socket may ask for less.
   * `ZMQ_MAX_MSGSZ`.
   * @default {2147483647}
   */
  maxMessageSize: number;
  /**
   * The `ipv6` of new sockets. `ZMQ_IPV6`.
   * @default {false}
   */
  ipv6: boolean;
  /**
   * With `false`, the `linger` of new sockets is 0: the program does not wait at its end for what was not sent.
   * `ZMQ_BLOCKY`.
   * @default {true}
   */
  blocky: boolean;
  /**
   * Accepted without effect: there are no I/O threads. `ZMQ_IO_THREADS`.
   * @default {1}
   */
  ioThreads: number;
  /**
   * Accepted without effect: there are no I/O threads. `ZMQ_THREAD_PRIORITY`.
   * @default {-1}
   */
  threadPriority: number;
  /**
   * Accepted without effect: there are no I/O threads. `ZMQ_THREAD_SCHED_POLICY`.
   * @default {-1}
   */
  threadSchedulingPolicy: number;
}

/** The settings of a new context. */
export const DEFAULT_SETTINGS: Readonly<ContextSettings> = {
  maxSockets: 1023,
  maxMessageSize: 2 ** 31 - 1,
  ipv6: false,
  blocky: true,
  ioThreads: 1,
  threadPriority: -1,
  threadSchedulingPolicy: -1,
};

const RANGES: Readonly<Record<string, readonly [least: number, most: number]>> = {
  maxSockets: [1, 65535],
  maxMessageSize: [0, 2 ** 31 - 1],
  ioThreads: [0, 2 ** 31 - 1],
  threadPriority: [-1, 2 ** 31 - 1],
  threadSchedulingPolicy: [-1, 2 ** 31 - 1],
};

/**
 * The value to keep for a setting.
 *
 * @throws {TypeError} `EINVAL` when it has the wrong type.
 * @throws {RangeError} `EINVAL` when it is out of range.
 */
export function checkSetting(name: string, value: unknown): unknown {
  const range = RANGES[name];
  if (range === undefined) {
    if (typeof value !== "boolean") throw wrongType(name, "true or false", value);
    return value;
  }
  const [least, most] = range;
  if (typeof value !== "number") throw wrongType(name, "a number", value);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw outOfRange(name, `${value}`, `an integer from ${least} to ${most}`);
}
