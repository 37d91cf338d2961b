// How a client's requests get to the broker and its replies to their requests. MDP does not number requests, so either each
// has a connection to itself while it is under way (lanes), or a number is put in front of it, as a proxy puts the routing id of
// a client there (a trunk): brokers that keep all that is in front of a request send it back with the reply.

import type { Frame } from "../../../mod.ts";
import { type Ask, numberOf } from "./ask.ts";
import { Fifo } from "../base/fifo.ts";
import type { Line } from "./line.ts";

/** What carriers need of their client. */
export interface CarrierHost {
  /** A new connection, to the present endpoint. */
  open(carrier: Carrier): Line;
  /** Gives a connection up by which nothing came; the next one is to the next endpoint. */
  replace(line: Line): void;
  /** The present. */
  readonly time: number;
  /** All requests under way by their numbers, those of other carriers included. */
  readonly asks: ReadonlyMap<number, Ask>;
  /** A message for a request; `at` is where the protocol begins. False when it is no end of a reply. */
  take(ask: Ask, message: Frame[], at: number): boolean;
  late(): void;
  malformed(reason: string): void;
}

/** Carries requests. */
export interface Carrier {
  /** Takes a request on. */
  start(ask: Ask): void;
  /** Tries it again. */
  retry(ask: Ask): void;
  /** Does without its reply. */
  drop(ask: Ask): void;
  arrived(line: Line, message: Frame[]): void;
  readonly connections: number;
  close(): Promise<unknown>;
}

/** All requests by one connection. */
export class Trunk implements Carrier {
  readonly #host: CarrierHost;
  #line: Line | undefined;

  constructor(host: CarrierHost) {
    this.#host = host;
  }

  get connections(): number {
    return this.#line === undefined ? 0 : 1;
  }

  start(ask: Ask): void {
    this.#line ??= this.#host.open(this);
    this.#line.send(ask.message);
  }

  /** With the same number: whichever try is answered first counts. */
  retry(ask: Ask): void {
    if (!this.#renew(ask)) this.start(ask);
  }

  drop(): void {}

  /** A request that is given up got nothing: if nobody else got anything meanwhile, the connection is of no use. */
  doubt(ask: Ask): void {
    this.#renew(ask);
  }

  /** A new connection for all, when nothing has come for as long as a reply may take. */
  #renew(ask: Ask): boolean {
    const line = this.#line;
    if (line === undefined || this.#host.time - line.heard < ask.timeout) return false;
    this.#host.replace(line);
    this.#line = undefined;
    for (const other of this.#host.asks.values()) {
      if (other.lane === undefined && !other.begun) this.start(other);
    }
    return true;
  }

  arrived(line: Line, message: Frame[]): void {
    line.heard = this.#host.time;
    const number = numberOf(message[0]);
    const ask = this.#host.asks.get(number);
    if (ask !== undefined) this.#host.take(ask, message, 1);
    else if (number >= 0) this.#host.late();
    else this.#host.malformed("a reply without the number of its request");
  }

  close(): Promise<unknown> {
    const line = this.#line;
    this.#line = undefined;
    return line?.close() ?? Promise.resolve();
  }
}

/** One connection for each request under way. */
export class Lanes implements Carrier {
  readonly #host: CarrierHost;
  readonly #most: () => number;
  readonly #waiting: Fifo<Ask> = new Fifo();
  readonly #free: Line[] = [];
  readonly #busy: Map<Line, Ask> = new Map();

  constructor(host: CarrierHost, most: () => number) {
    this.#host = host;
    this.#most = most;
  }

  get connections(): number {
    return this.#free.length + this.#busy.size;
  }

  start(ask: Ask): void {
    this.#waiting.push(ask);
    this.serve();
  }

  /** Before all that waits. */
  startFirst(ask: Ask): void {
    this.#waiting.unshift(ask);
    this.serve();
  }

  /** Gives lanes to requests, as far as there are both. */
  serve(): void {
    while (this.#waiting.length > 0 && this.#busy.size < this.#most()) {
      const ask = this.#waiting.shift()!;
      this.#send(ask, this.#free.pop() ?? this.#host.open(this));
    }
  }

  #send(ask: Ask, line: Line): void {
    ask.lane = line;
    this.#busy.set(line, ask);
    line.heard = this.#host.time;
    line.send(ask.message.slice(1));
  }

  /** By a fresh connection, which no late reply can come by. */
  retry(ask: Ask): void {
    const { lane } = ask;
    if (lane === undefined) return; // it still waits for one
    this.#busy.delete(lane);
    this.#host.replace(lane);
    this.#send(ask, this.#host.open(this));
  }

  drop(ask: Ask): void {
    const { lane } = ask;
    if (lane === undefined) {
      this.#waiting.remove(ask);
      return;
    }
    this.#busy.delete(lane);
    lane.close();
    this.serve();
  }

  /** Those that wait for a lane: they do without one. */
  takeWaiting(): Ask[] {
    const asks: Ask[] = [];
    while (this.#waiting.length > 0) asks.push(this.#waiting.shift()!);
    return asks;
  }

  /** Closes the lanes that nobody uses. */
  tidy(): void {
    for (const line of this.#free.splice(0)) line.close();
  }

  arrived(line: Line, message: Frame[]): void {
    line.heard = this.#host.time;
    const ask = this.#busy.get(line);
    if (ask === undefined) return this.#host.late();
    if (!this.#host.take(ask, message, 0)) return;
    this.#busy.delete(line);
    if (this.#most() === 0) line.close();
    else this.#free.push(line);
    this.serve();
  }

  close(): Promise<unknown> {
    const lines = [...this.#free, ...this.#busy.keys()];
    return Promise.all(lines.map((line) => line.close()));
  }
}
