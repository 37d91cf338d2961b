// Heartbeats between two ends: when to send one, and when the other end is given up.

import { checkCount, checkTime } from "./checks.ts";

/** How the two ends of a connection watch each other. Both ends should have the same. */
export interface HeartbeatOptions {
  /**
   * A heartbeat is sent when nothing else was for so long, in milliseconds.
   * @default {1000}
   */
  readonly heartbeatInterval?: number | undefined;
  /**
   * After so many intervals of silence the other end is given up; 3 to 5 are usual.
   * @default {3}
   */
  readonly heartbeatLiveness?: number | undefined;
}

/** The options, checked, with their defaults. */
export interface Heartbeats {
  /** Milliseconds between two of them. */
  readonly interval: number;
  /** Milliseconds of silence after which the other end is given up. */
  readonly patience: number;
}

/** Checks the options of heartbeats. */
export function heartbeatsOf(options: HeartbeatOptions): Heartbeats {
  const interval = checkTime("heartbeatInterval", options.heartbeatInterval ?? 1000);
  const liveness = checkCount("heartbeatLiveness", options.heartbeatLiveness ?? 3, 1);
  return { interval, patience: interval * liveness };
}

/** One other end: when it was heard, and when it was last sent something. Times are milliseconds of `now()`. */
export class Liveness {
  readonly #beats: Heartbeats;
  #heard: number;
  #sent: number;

  constructor(beats: Heartbeats, time: number) {
    this.#beats = beats;
    this.#heard = time;
    this.#sent = time;
  }

  /** Something came from it. */
  heard(time: number): void {
    this.#heard = time;
  }

  /** Something was sent to it. */
  sent(time: number): void {
    this.#sent = time;
  }

  /** True when a heartbeat is due. */
  due(time: number): boolean {
    return time - this.#sent >= this.#beats.interval;
  }

  /** True when it was silent for too long. */
  lost(time: number): boolean {
    return time - this.#heard >= this.#beats.patience;
  }
}
