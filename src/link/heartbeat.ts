// Heartbeats of one connection (RFC 37, "Connection Heartbeating"): PINGs to the peer at an interval, and the end of the
// connection when there is no sign of life in time. Any octet that arrives is one.

import type { Cancel, Clock } from "../clock.ts";
import { ZmqError } from "../errors.ts";
import type { CommonOptions } from "../options.ts";

/** The connection, as its heartbeat sees it. */
export interface Beating {
  /** Sends a PING, and tells `asked` when the system has taken it. */
  ping(): void;
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
  /** A PING lies behind something that the system has not taken. As in libzmq, nobody is waited for meanwhile. */
  #unasked = false;

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
      if (this.#unasked) return;
      this.#unasked = true;
      this.#link.ping();
    };
    this.#cancelPing = this.#clock.after(heartbeatInterval, beat);
  }

  /** The PING is on its way. */
  asked(): void {
    this.#unasked = false;
    if (this.#limit === 0 || this.#timeout !== undefined || this.#cancelPing === undefined) return;
    const how = `after a PING for ${this.#limit} ms; heartbeatTimeout sets the limit`;
    this.#timeout = this.#wait(this.#limit, how);
  }

  /** The peer's PING says how long it wants to be waited for, in milliseconds. */
  timeToLive(limit: number): void {
    this.#timeToLive?.stop();
    this.#timeToLive = limit === 0
      ? undefined
      : this.#wait(limit, `for the ${limit} ms that its PING allowed`);
  }

  #wait(limit: number, how: string): Wait {
    const error = () =>
      new ZmqError("ETIMEDOUT", `The peer was silent ${how}`, { address: this.#address });
    return new Wait(this.#clock, limit, this.#link, () => this.#link.lost(error()));
  }

  /** Octets arrived: the waits are over. */
  heard(): void {
    if (this.#timeout !== undefined) {
      this.#timeout.stop();
      this.#timeout = undefined;
    }
    if (this.#timeToLive !== undefined) {
      this.#timeToLive.stop();
      this.#timeToLive = undefined;
    }
  }

  /** It is read again: what the peer sent meanwhile has yet to arrive. */
  listening(): void {
    this.#timeout?.start();
    this.#timeToLive?.start();
  }

  stop(): void {
    this.#cancelPing?.();
    this.#cancelPing = undefined;
    this.heard();
  }
}

/** A wait for a sign of life. */
class Wait {
  readonly #clock: Clock;
  readonly #limit: number;
  readonly #link: Beating;
  readonly #over: () => void;
  #cancel: Cancel | undefined;

  constructor(clock: Clock, limit: number, link: Beating, over: () => void) {
    this.#clock = clock;
    this.#limit = limit;
    this.#link = link;
    this.#over = over;
    this.start();
  }

  /** Begins, or begins anew. */
  start(): void {
    this.#cancel?.();
    const cancel = this.#clock.after(this.#limit, () => {
      // In a program that was busy for long, what the peer sent lies unread while timers run: it is looked at first.
      this.#clock.poll(() => {
        if (this.#cancel !== cancel) return;
        if (this.#link.deaf) this.start();
        else this.#over();
      });
    });
    this.#cancel = cancel;
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
