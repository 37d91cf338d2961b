// A worker of Majordomo: one conversation with a broker after the other.

import { checkCount, checkFunction, checkName, checkTime } from "../base/checks.ts";
import { heartbeatsOf } from "../base/liveness.ts";
import { octetsOf } from "../base/octets.ts";
import { Part, socketSettings } from "../base/part.ts";
import { after, type Cancel } from "../base/time.ts";
import { Conversation, type ConversationSettings } from "./conversation.ts";
import { dialectOf } from "./protocol.ts";
import type {
  MajordomoBrokerLostReason,
  MajordomoWorkerEvents,
  MajordomoWorkerOptions,
  MajordomoWorkerStats,
} from "./worker_options.ts";

/**
 * Does the work of one service for a broker of MDP 0.1 (RFC 7) or 0.2 (RFC 18). It registers as soon as it is made, and
 * again whenever the broker was lost; there is nothing to wait for. Chapter 4 of the guide.
 *
 * A handler that throws leaves its request without an answer: the worker says DISCONNECT and registers anew, so that the
 * broker gives the request to another worker, a few times.
 *
 * @example A reply in parts
 * ```ts
 * import { MajordomoBroker, MajordomoClient, MajordomoWorker } from "@wasmq/wasmq/patterns";
 *
 * await using broker = new MajordomoBroker();
 * await broker.bind("tcp://127.0.0.1:*");
 * const endpoint = broker.lastEndpoint!;
 *
 * await using worker = new MajordomoWorker({
 *   endpoint,
 *   service: "count",
 *   version: "0.2",
 *   handler: async function* ([to]) {
 *     for (let i = 1; i < Number(to); i++) yield `${i}`;
 *     return `${to}`;
 *   },
 * });
 * await using client = new MajordomoClient({ endpoint, version: "0.2" });
 * for await (const { body, final } of client.stream("count", "3")) {
 *   console.log(`${body}`, final); // "1 false", "2 false", "3 true"
 * }
 * ```
 */
export class MajordomoWorker extends Part<MajordomoWorkerEvents> {
  readonly #settings: ConversationSettings;
  readonly #reconnectInterval: number;
  #conversation: Conversation | undefined;
  #cancel: Cancel | undefined;

  /**
   * Makes a worker, which registers at once.
   *
   * @throws {TypeError} `EINVAL` for options that make no sense.
   * @throws {EndpointError} As `Socket.connect` does.
   */
  constructor(options: MajordomoWorkerOptions) {
    super(options);
    const { endpoint } = options;
    this.#reconnectInterval = checkTime("reconnectInterval", options.reconnectInterval ?? 1000);
    this.#settings = {
      endpoint,
      service: octetsOf(checkName("service", options.service)),
      handler: checkFunction("handler", options.handler),
      dialect: dialectOf(options.version),
      concurrency: checkCount("concurrency", options.concurrency ?? 1, 1),
      beats: heartbeatsOf(options),
      socket: socketSettings(options, { linger: 0 }),
      counts: {
        conversations: 0,
        requests: 0,
        running: 0,
        waiting: 0,
        replies: 0,
        partials: 0,
        late: 0,
        failed: 0,
        malformed: 0,
      },
      malformed: (reason) => this.events.emit("malformed", { reason }),
      failed: (error) => this.events.emit("error", { error }),
      ended: (reason) => this.#ended(reason),
    };
    this.#begin();
  }

  /** Its figures, as they are now. */
  stats(): MajordomoWorkerStats {
    return { ...this.#settings.counts };
  }

  #begin(): void {
    this.#settings.counts.conversations++;
    this.#conversation = new Conversation(this.#settings);
    this.events.emit("ready", { endpoint: this.#settings.endpoint });
  }

  #ended(reason: MajordomoBrokerLostReason): void {
    if (this.closed) return;
    this.events.emit("lost", { reason });
    // A listener may have closed it.
    if (this.closed) return;
    // After a failure the broker is there: others are waiting.
    const wait = reason === "failed" ? 0 : this.#reconnectInterval;
    this.#cancel = after(wait, () => {
      try {
        this.#begin();
      } catch (error) {
        // Its context is terminated, or has no socket left.
        this.events.emit("error", { error });
      }
    });
  }

  /** @internal */
  protected override shut(): Promise<void> {
    this.#cancel?.();
    return this.#conversation?.close() ?? Promise.resolve();
  }
}
