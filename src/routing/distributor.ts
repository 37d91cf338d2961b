// Fan-out over pipes: a message goes to every peer whose topics match it (RFC 29), and is dropped, counted, for those that
// have no room.

import {
  LIST_ACTIVE,
  LIST_REQUESTED,
  PUBLISH_ALL_OR_NONE,
  PUBLISH_INVERTED,
  PUBLISH_MATCH_ONLY,
} from "../../wasm/layout.ts";
import { FanOut } from "../core/fan_out.ts";
import type { Core } from "../core/instance.ts";
import { codeOf } from "../errors.ts";
import type { Monitor } from "../events.ts";
import { type Frame, framesOf, type Outgoing, toBytes } from "../message.ts";
import type { OptionValues } from "../options.ts";
import { BATCH_SIZE, batchSize, type Pipe } from "./pipe.ts";

/** All batches together: what is published to many peers must be written while it is in the processor's cache. */
const BATCH_BUDGET = 8 * 1024 * 1024;
/** The smallest batch, as libzmq's. */
const BATCH_LEAST = 8 * 1024;

/** Peers whose streams do not keep up: who sends may wait a moment for them, if it can. */
export interface Crowd {
  /** True when it may be waited now; not for too long in relation to what is done meanwhile. */
  readonly open: boolean;
  /** One of `peers` peers has a batch waiting that its stream did not take. */
  add(pipe: Pipe, peers: number): void;
}

/** Called with each topic that a lost peer had, and whether nobody has it any more. */
export type Lost = (topic: Uint8Array, last: boolean) => void;

export class Distributor {
  readonly fan: FanOut;
  readonly #options: OptionValues;
  readonly #crowd: Crowd;
  readonly #monitor: Monitor;
  /** Drops of each peer that events have told of. */
  readonly #told: WeakMap<Pipe, number> = new WeakMap();
  /** What was dropped so far. */
  #dropped = 0;
  /** Peers whose messages the core does not keep. */
  #apart = 0;
  /** No batch needs to be larger, for as many peers as there are. */
  #batchMost = BATCH_SIZE;
  /** The connected peers, by the addresses of their outboxes. */
  readonly #pipes: Map<number, Pipe> = new Map();

  constructor(core: Core, options: OptionValues, crowd: Crowd, monitor: Monitor) {
    this.fan = new FanOut(core);
    this.#monitor = monitor;
    this.#options = options;
    this.#crowd = crowd;
  }

  /** The connected peers. */
  get pipes(): Iterable<Pipe> {
    return this.#pipes.values();
  }

  has(pipe: Pipe): boolean {
    return this.#pipes.get(pipe.outbox.box) === pipe;
  }

  /** How many topics are published to a peer. */
  topicsOf(pipe: Pipe): number {
    return this.fan.topicsOf(LIST_ACTIVE, pipe.outbox);
  }

  join(pipe: Pipe): void {
    this.#pipes.set(pipe.outbox.box, pipe);
    this.fan.join(pipe.outbox);
    if (pipe.outbox.byReference) this.#apart++;
    pipe.batchMost = this.#batchMost;
    this.#share();
  }

  /** Shares the budget out again, when that makes a difference. */
  #share(): void {
    const share = BATCH_BUDGET / Math.max(1, this.#pipes.size);
    const most = Math.max(BATCH_LEAST, Math.min(BATCH_SIZE, 2 ** Math.floor(Math.log2(share))));
    if (most === this.#batchMost) return;
    this.#batchMost = most;
    for (const pipe of this.#pipes.values()) pipe.batchMost = most;
  }

  /** The peer is gone: its topics are as well, at once. */
  leave(pipe: Pipe, activeLost: Lost, requestedLost: Lost): void {
    if (!this.has(pipe)) return;
    this.#pipes.delete(pipe.outbox.box);
    this.#forget(pipe, LIST_ACTIVE, activeLost);
    this.#forget(pipe, LIST_REQUESTED, requestedLost);
    this.fan.leave(pipe.outbox);
    if (pipe.outbox.byReference) this.#apart--;
    this.#share();
  }

  #forget(pipe: Pipe, list: number, lost: Lost): void {
    for (;;) {
      const popped = this.fan.pop(list, pipe.outbox);
      if (popped === undefined) return;
      lost(popped.topic, popped.last);
    }
  }

  /** Publishes, to `only` alone if it is given; false when `noDrop` makes the message wait for a full peer. */
  publish(message: Outgoing, only: Pipe | undefined): boolean {
    const { sendHighWaterMark: mark, noDrop, conflate, invertMatching } = this.#options;
    let flags = 0;
    if (noDrop && !conflate) flags |= PUBLISH_ALL_OR_NONE;
    if (invertMatching) flags |= PUBLISH_INVERTED;
    if (conflate) flags |= PUBLISH_MATCH_ONLY;
    const first = this.#apart > 0 && this.#apart === this.#pipes.size
      ? this.fan.name(startOf(message), only?.outbox, mark, flags)
      : this.fan.publish(
        message,
        only?.outbox,
        mark,
        batchSize(mark, this.#batchMost),
        flags,
      );
    if (first === undefined) return false;
    if (first !== 0) this.#attend(first, message, conflate);
    if (this.fan.dropped !== this.#dropped) this.#lost();
    return true;
  }

  /** Something was dropped. Peers whose streams are not stalled might have room for the next one. */
  #lost(): void {
    const { dropped } = this.fan;
    if (this.#monitor.watched) this.#tellDrops();
    this.#dropped = dropped;
    if (!this.#crowd.open) return;
    for (const pipe of this.#pipes.values()) {
      // By reference a peer is passed over until half of what it holds is read.
      const full = pipe.outbox.brimming ?? pipe.full;
      if (full && !pipe.stalled) this.#crowd.add(pipe, this.#pipes.size);
    }
  }

  /** Tells which peers did without something, of which there is no list. */
  #tellDrops(): void {
    for (const pipe of this.#pipes.values()) {
      const { dropped } = pipe.outbox;
      const told = this.#told.get(pipe) ?? 0;
      if (dropped === told) continue;
      this.#told.set(pipe, dropped);
      pipe.tellFull();
      pipe.tellDrops(dropped - told);
    }
  }

  /** Looks after the outboxes that the core named; attending to one may change their list, which is read first. */
  #attend(first: number, message: Outgoing, conflate: boolean): void {
    const pipes: Pipe[] = [];
    for (let box = first; box !== 0; box = this.fan.after(box)) pipes.push(this.#pipes.get(box)!);
    const { bodies } = this.fan;
    let frames: Frame[] | undefined;
    // All of them first: attending to one may publish the next message.
    if (!conflate && bodies.length > 0) { for (const pipe of pipes) pipe.outbox.share(bodies); }
    for (const pipe of pipes) {
      if (!this.has(pipe)) continue;
      if (conflate) {
        keepNewest(pipe, message);
        continue;
      }
      if (pipe.outbox.byReference) {
        pipe.send(frames ??= pipe.outbox.framesFrom!(message));
      } else {
        pipe.appended();
      }
      if (pipe.crowded && !pipe.stalled && this.#crowd.open) {
        this.#crowd.add(pipe, this.#pipes.size);
      }
    }
  }

  /** Every peer must have left. */
  free(): void {
    this.fan.free();
  }
}

/** The octets of a message's first frame. */
function startOf(message: Outgoing): Uint8Array {
  return toBytes(Array.isArray(message) ? message[0] : framesOf(message)[0]);
}

/** Replaces what waits for a peer; the others must not do without the message because there is no memory for this one. */
function keepNewest(pipe: Pipe, message: Outgoing): void {
  try {
    if (pipe.send(message)) return;
  } catch (error) {
    if (codeOf(error) !== "ENOBUFS") throw error;
  }
  pipe.drop();
}
