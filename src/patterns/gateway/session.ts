// One time of a worker with its gateway, on a socket of its own: what belongs to an earlier one can never be taken for something
// of this one.

import type { Dealer, Frame } from "../../../mod.ts";
import { type Heartbeats, Liveness } from "../base/liveness.ts";
import type { Ticker } from "../base/ticker.ts";
import * as protocol from "./protocol.ts";
import { COMMANDS, countIn, frameOf, numberIn } from "./protocol.ts";

/** An item to be done. */
export class GatewayJob {
  /** What is to be done. */
  readonly body: Frame[];
  /** @internal What the gateway calls it. */
  readonly tag: number;
  readonly #session: Session;

  /** @internal */
  constructor(session: Session, tag: number, body: Frame[]) {
    this.#session = session;
    this.tag = tag;
    this.body = body;
  }

  /** Aborted when the gateway is lost: it gives the item to another worker, and what becomes of it here does not count. */
  get signal(): AbortSignal {
    return this.#session.over;
  }

  /** It is done. Calling it again, or when the gateway was lost meanwhile, does nothing; it answers whether this call counted. */
  done(): boolean {
    return this.#session.settle(this.tag, true);
  }

  /** It was not done: the gateway gives it to another worker, or to this one again. Answers whether this call counted. */
  refuse(): boolean {
    return this.#session.settle(this.tag, false);
  }
}

/** Who a session belongs to. */
export interface SessionOwner {
  /** The gateway has welcomed this worker. */
  joined(): void;
  /** There is something to do. */
  job(job: GatewayJob): void;
  /** The gateway wants this worker to leave. */
  drain(): void;
  /** It does not know this worker any more. */
  unknown(): void;
  /** It sent what is not of the protocol. */
  malformed(reason: string): void;
  /** A job was settled. */
  settled(done: boolean): void;
}

export class Session {
  readonly socket: Dealer;
  readonly liveness: Liveness;
  readonly #owner: SessionOwner;
  readonly #ticker: Ticker;
  readonly #aborting = new AbortController();
  /** Items that were received and not settled. */
  readonly #tags: Set<number> = new Set();
  #done: number[] = [];
  #refused: number[] = [];
  #scheduled = false;
  #joined = false;
  #leaving = false;

  constructor(socket: Dealer, beats: Heartbeats, ticker: Ticker, owner: SessionOwner) {
    this.socket = socket;
    this.liveness = new Liveness(beats, ticker.time);
    this.#ticker = ticker;
    this.#owner = owner;
  }

  /** Aborted when it is over. */
  get over(): AbortSignal {
    return this.#aborting.signal;
  }

  /** How many items are not settled. */
  get size(): number {
    return this.#tags.size;
  }

  /** Says who is there. */
  begin(credit: number, name: Uint8Array): void {
    this.#send([COMMANDS[protocol.READY], protocol.VERSION, frameOf(credit), name]);
  }

  /** Reads until the socket is closed. */
  async read(): Promise<void> {
    for await (const message of this.socket) {
      if (this.over.aborted) return;
      this.#handle(message);
    }
  }

  #handle(message: Frame[]): void {
    const code = message[0].length === 1 ? message[0][0] : 0;
    // One that does not take this worker may have room for it another time: it is silent.
    if (code !== protocol.UNKNOWN) this.liveness.heard(this.#ticker.time);
    if (code === protocol.WORK && message.length >= 3 && countIn(message[1]) === 1) {
      // Given before the gateway knew that this worker leaves: it has taken it back.
      if (this.#leaving) return;
      const tag = numberIn(message[1], 0);
      this.#tags.add(tag);
      this.#owner.job(new GatewayJob(this, tag, message.slice(2)));
    } else if (code === protocol.BEAT && message.length === 1) {
      if (this.#joined) return;
      this.#joined = true;
      this.#owner.joined();
    } else if (code === protocol.DRAIN && message.length === 1) {
      this.#owner.drain();
    } else if (code === protocol.UNKNOWN && message.length === 1) {
      // Before the welcome it was not turned away, it was not heard yet.
      if (this.#joined) this.#owner.unknown();
    } else {
      this.#owner.malformed("it is no command of a gateway");
    }
  }

  /** Acknowledges an item, or gives it back; false when that was done already, or does not count any more. */
  settle(tag: number, done: boolean): boolean {
    if (this.over.aborted || !this.#tags.delete(tag)) return false;
    (done ? this.#done : this.#refused).push(tag);
    // Those of one turn go together.
    if (!this.#scheduled) {
      this.#scheduled = true;
      queueMicrotask(() => this.#flush());
    }
    this.#owner.settled(done);
    return true;
  }

  #flush(): void {
    this.#scheduled = false;
    if (this.over.aborted) return;
    if (this.#done.length > 0 && this.#send([COMMANDS[protocol.DONE], frameOf(...this.#done)])) {
      this.#done = [];
    }
    if (this.#refused.length === 0) return;
    if (this.#send([COMMANDS[protocol.REFUSED], frameOf(...this.#refused)])) this.#refused = [];
  }

  /** Sends a heartbeat if one is due, and what could not be sent before. */
  look(time: number): void {
    this.#flush();
    if (this.liveness.due(time)) this.#send([COMMANDS[protocol.BEAT]]);
  }

  /** Says which items will still be done, the others go back. */
  leave(dropped: readonly GatewayJob[]): void {
    this.#leaving = true;
    for (const { tag } of dropped) this.#tags.delete(tag);
    this.#flush();
    this.#send([COMMANDS[protocol.LEAVING], frameOf(...this.#tags)]);
  }

  /** Says farewell, and has it sent. */
  async end(): Promise<void> {
    this.#flush();
    this.#send([COMMANDS[protocol.BYE]]);
    this.#aborting.abort();
    await this.socket.close();
  }

  /** The gateway is lost: nothing of this counts any more. */
  abandon(): void {
    this.#aborting.abort();
    this.socket.linger = 0;
    void this.socket.close();
  }

  #send(message: Parameters<Dealer["trySend"]>[0]): boolean {
    if (this.socket.closed || !this.socket.trySend(message)) return false;
    this.liveness.sent(this.#ticker.time);
    return true;
  }
}
