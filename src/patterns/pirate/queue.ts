// Paranoid Pirate's queue: the client's side of PPP (RFC 6).

import type { Frame, MessageLike } from "../../../mod.ts";
import {
  type HeartbeatOptions,
  type Heartbeats,
  heartbeatsOf,
  Liveness,
} from "../base/liveness.ts";
import { sameOctets } from "../base/octets.ts";
import { type Cancel, now } from "../base/time.ts";
import { WorkerBroker, type WorkerBrokerOptions } from "./broker.ts";
import { HEARTBEAT, READY } from "./commands.ts";
import { pulse } from "./pulse.ts";
import type { WorkerEntry } from "./workers.ts";

/** Options of a {@linkcode ParanoidPirateQueue}. */
export interface ParanoidPirateQueueOptions extends WorkerBrokerOptions, HeartbeatOptions {}

/** A worker that was lost with a request may still answer it, for so many times the patience. */
const MEMORY = 10;

/**
 * Gives the requests of REQ or DEALER clients to workers that it watches by heartbeats, and that watch it. Who is free for
 * longest comes first; who was silent for `heartbeatInterval` times `heartbeatLiveness` gets nothing until it is heard
 * again. When nobody is free, requests wait where they are.
 *
 * A request whose worker is lost has no reply: the client asks again, as {@linkcode LazyPirateClient} does. PPP, RFC 6;
 * guide, chapter 4; docs/patterns/paranoid_pirate.md.
 *
 * @example A queue, a worker and a client
 * ```ts
 * import { LazyPirateClient, ParanoidPirateQueue, ParanoidPirateWorker } from "@wasmq/wasmq/patterns";
 *
 * const queue = new ParanoidPirateQueue({ heartbeatInterval: 500 });
 * await queue.bind("tcp://127.0.0.1:*", "tcp://127.0.0.1:*");
 * const worker = new ParanoidPirateWorker({
 *   heartbeatInterval: 500,
 *   handler: ([text]) => `${text}, aye`,
 * });
 * worker.connect(queue.backendEndpoint!);
 *
 * const client = new LazyPirateClient({ endpoint: queue.frontendEndpoint! });
 * const [reply] = await client.request("hoist the flag");
 * console.log(String(reply)); // "hoist the flag, aye"
 *
 * await client.close();
 * await worker.close();
 * await queue.close();
 * ```
 */
export class ParanoidPirateQueue extends WorkerBroker {
  readonly #beats: Heartbeats;
  readonly #stopPulse: Cancel;

  /** Makes a queue; `bind` starts it. */
  constructor(options: ParanoidPirateQueueOptions = {}) {
    const beats = heartbeatsOf(options);
    super(options);
    this.#beats = beats;
    this.#stopPulse = pulse(beats.interval, (time) => this.#beat(time));
  }

  /** @internal */
  protected override shut(): Promise<void> {
    this.#stopPulse();
    return super.shut();
  }

  /** @internal Anything that a worker sends is a sign of life. */
  protected override take(message: Frame[]): void {
    const [id, command] = message;
    const worker = this.find(id);
    if (worker !== undefined) this.#heard(worker);
    if (message.length > 2) this.reply(worker, id, message.slice(1));
    else if (command !== undefined && sameOctets(command, READY)) this.ready(worker, id);
    else if (command === undefined || !sameOctets(command, HEARTBEAT)) {
      this.malformed("worker", id, "a single frame is READY, 01, or HEARTBEAT, 02");
    } else if (worker === undefined) this.ready(worker, id); // it knew this queue before a restart
  }

  #heard(worker: WorkerEntry): void {
    worker.life!.heard(now());
    // Frozen, and here again: it still has its request.
    worker.lost = false;
  }

  /** @internal */
  protected override wrap(worker: Uint8Array, request: Frame[]): MessageLike[] {
    return [worker, ...request];
  }

  /** @internal */
  protected override newLife(): Liveness {
    return new Liveness(this.#beats, now());
  }

  /** @internal */
  protected override usable({ life }: WorkerEntry): boolean {
    const time = now();
    if (life!.lost(time)) return false;
    life!.sent(time);
    return true;
  }

  #beat(time: number): void {
    for (const worker of this.workers) {
      const life = worker.life!;
      if (worker.lost) {
        if (life.lost(time - (MEMORY - 1) * this.#beats.patience)) this.forget(worker);
      } else if (life.lost(time)) {
        this.#giveUp(worker);
      } else if (life.due(time)) {
        life.sent(time);
        if (this.tell(worker, HEARTBEAT) === "EHOSTUNREACH") this.lose(worker);
      }
    }
  }

  /** Who has a request stays known: when it was only slow, its answer is still good. */
  #giveUp(worker: WorkerEntry): void {
    if (worker.idle) return this.lose(worker);
    worker.lost = true;
    this.mourn(worker);
  }
}
