// Heartbeats of one connection (RFC 37, "Connection Heartbeating"): PINGs to the peer at an interval, and the end of the
// connection when there is no sign of life in time. Any octet that arrives is one.

import type { Cancel, Clock } from "../clock.ts";
import { ZmqError } from "../errors.ts";
import type { CommonOptions } from "../options.ts";

/** The connection, as its heartbeat sees it. */
export interface Beating {
  /** Sends a PING, and tells `asked` when the system has taken it. */
  ping(): void;
  /** Octets of messages that the system has taken so far. */
  readonly taken: number;
  /** True while silence means nothing, because nothing is read. */
  readonly deaf: boolean;
  /** The peer gives no sign of life. */
  lost(error: ZmqError): void;
}

export class Heartbeat {
  readonly #clock: Clock;
  readonly #link: Beating;
  readonly #address: string;
  #cancelPing: Cancel | undefined;
  /** Until the wait after a PING is over, and the one that the peer asked for. */
  #timeout: Wait | undefined;
  #timeToLive: Wait | undefined;
  #limit = 0;
  /** A PING lies behind something that the system has not taken. */
  #unasked = false;
  /** The wait began because nothing was taken, without a PING. */
  #blocked = false;
  /** What it had taken at the last PING. */
  #taken = -1;

  constructor(clock: Clock, link: Beating, address: string) {
    this.#clock = clock;
    this.#link = link;
    this.#address = address;
  }

  /** Sends PINGs from now on, if the options ask for it. */
  start({ heartbeatInterval, heartbeatTimeout }: CommonOptions): void {
    if (heartbeatInterval === 0) return;
    this.#limit = heartbeatTimeout < 0 ? heartbeatInterval : heartbeatTimeout;
    const beat = () => {
      this.#cancelPing = this.#clock.after(heartbeatInterval, beat);
      const { taken } = this.#link;
      if (!this.#unasked) {
        this.#unasked = true;
        this.#link.ping();
      } else if (taken === this.#taken) {
        // The peer takes nothing: it need not be asked to be waited for.
        this.#await(true);
      }
      this.#taken = taken;
    };
    this.#cancelPing = this.#clock.after(heartbeatInterval, beat);
  }

  /** The PING is on its way. */
  asked(): void {
    this.#unasked = false;
    if (this.#blocked) this.#stopTimeout();
    this.#await(false);
  }

  #stopTimeout(): void {
    this.#timeout?.stop();
    this.#timeout = undefined;
    this.#blocked = false;
  }

  #await(blocked: boolean): void {
    if (this.#limit === 0 || this.#timeout !== undefined || this.#cancelPing === undefined) return;
    const how = `after a PING for ${this.#limit} ms; heartbeatTimeout sets the limit`;
    this.#blocked = blocked;
    this.#timeout = this.#wait(this.#limit, how, blocked);
  }

  /** The peer's PING says how long it wants to be waited for, in milliseconds. */
  timeToLive(limit: number): void {
    this.#timeToLive?.stop();
    this.#timeToLive = limit === 0
      ? undefined
      : this.#wait(limit, `for the ${limit} ms that its PING allowed`, false);
  }

  #wait(limit: number, how: string, blocked: boolean): Wait {
    const error = () =>
      new ZmqError("ETIMEDOUT", `The peer was silent ${how}`, { address: this.#address });
    return new Wait(this.#clock, limit, this.#link, blocked, () => this.#link.lost(error()));
  }

  /** Octets arrived: the waits are over. */
  heard(): void {
    if (this.#timeout !== undefined) this.#stopTimeout();
    if (this.#timeToLive !== undefined) {
      this.#timeToLive.stop();
      this.#timeToLive = undefined;
    }
  }

  stop(): void {
    this.#cancelPing?.();
    this.#cancelPing = undefined;
    this.heard();
  }
}

/** A wait for a sign of life. */
class Wait {
  #cancel: Cancel | undefined;

  /** While it is `blocked`, a peer that takes messages is alive; later it has to answer. */
  constructor(clock: Clock, limit: number, link: Beating, blocked: boolean, over: () => void) {
    let taken = link.taken;
    const end = () => {
      // In a program that was busy for long, what the peer sent lies unread while timers run: it is looked at first.
      clock.poll(() => {
        if (this.#cancel === undefined) return;
        if (!link.deaf && !(blocked && link.taken !== taken)) return over();
        taken = link.taken;
        this.#cancel = clock.after(limit, end);
      });
    };
    this.#cancel = clock.after(limit, end);
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
