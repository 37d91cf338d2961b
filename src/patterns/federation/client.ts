// A client of a cluster, with many requests under way.

import { Dealer, type Frame, type MessageLike, ZmqError } from "../../../mod.ts";
import { checkCount, checkTime } from "../base/checks.ts";
import { drain } from "../base/drain.ts";
import { type Body, framesOf } from "../base/octets.ts";
import { Part, type PartOptions, socketSettings } from "../base/part.ts";
import { after, type Cancel, now } from "../base/time.ts";
import { EMPTY } from "./protocol.ts";

const ID_SIZE = 16;

/** Options of a `FederatedClient`. */
export interface FederatedClientOptions extends PartOptions {
  /**
   * A request is sent again when no reply came for so many milliseconds.
   * @default {2500}
   */
  readonly timeout?: number | undefined;
  /**
   * So many times; then the request fails.
   * @default {2}
   */
  readonly retries?: number | undefined;
  /**
   * So many requests are under way at most.
   * @default {1000}
   */
  readonly maxPending?: number | undefined;
}

/** What a `FederatedClient` tells. */
export interface FederatedClientEvents {
  /** A request is sent again; `tries` times it was sent before. */
  retry: { readonly tries: number };
  /** Something that is no reply was dropped. */
  malformed: { readonly frames: readonly Frame[] };
  /** What should not happen. */
  error: { readonly error: unknown };
}

/** Figures of a client. All but `pending` only grow. */
export interface FederatedClientStats {
  /** Requests that were made. */
  readonly requests: number;
  /** Requests that were answered. */
  readonly answered: number;
  /** Requests that were not answered, however often they were sent. */
  readonly failed: number;
  /** Requests that were sent again, counted each time. */
  readonly retried: number;
  /** Replies to what was answered, failed or cancelled before. */
  readonly late: number;
  /** What was no reply. */
  readonly malformed: number;
  /** Requests that are under way now. */
  readonly pending: number;
}

interface Waiting {
  readonly frames: readonly MessageLike[];
  readonly resolve: (reply: Frame[]) => void;
  readonly reject: (reason: unknown) => void;
  readonly signal: AbortSignal | undefined;
  readonly abort: (() => void) | undefined;
  tries: number;
  sentAt: number;
}

/**
 * Sends requests to a `FederatedBroker`, many at once. A request without a reply is sent again, under the same number, so
 * that a broker that has it still does not do it twice.
 *
 * @example Requests under way at once
 * ```ts
 * import { FederatedBroker, FederatedClient, FederatedWorker } from "@wasmq/wasmq/patterns";
 *
 * await using broker = new FederatedBroker({ name: "oslo" });
 * await broker.bind({ clients: "inproc://clients", workers: "inproc://workers" });
 * await using worker = new FederatedWorker({ handler: ([text]) => `${text}!` });
 * worker.connect("inproc://workers");
 *
 * await using client = new FederatedClient({ timeout: 1000, retries: 2 });
 * client.connect("inproc://clients");
 * const replies = await Promise.all(["one", "two"].map((text) => client.request(text)));
 * console.log(replies.map(String)); // ["one!", "two!"]
 * ```
 */
export class FederatedClient extends Part<FederatedClientEvents> {
  readonly #options: FederatedClientOptions;
  readonly #timeout: number;
  readonly #retries: number;
  readonly #maxPending: number;
  /** Its own, so that replies find it after a broken connection, too. */
  readonly #id: Uint8Array = crypto.getRandomValues(new Uint8Array(ID_SIZE));
  readonly #addresses: string[] = [];
  /** Those that wait, the one that was sent first before the others. */
  readonly #waiting: Map<number, Waiting> = new Map();
  #socket: Dealer;
  #heardAt: number = now();
  #cancelTimer: Cancel | undefined;
  #number = 0;
  #answered = 0;
  #failed = 0;
  #retried = 0;
  #late = 0;
  #malformed = 0;
  #requests = 0;

  /**
   * Makes it; `connect` gives it somebody to ask.
   *
   * @throws {TypeError} `EINVAL` for an option that makes no sense.
   */
  constructor(options: FederatedClientOptions = {}) {
    super(options);
    this.#options = options;
    this.#timeout = checkTime("timeout", options.timeout ?? 2_500);
    this.#retries = checkCount("retries", options.retries ?? 2, 0);
    this.#maxPending = checkCount("maxPending", options.maxPending ?? 1_000, 1);
    // Ids that begin with a zero octet are the routers' own.
    this.#id[0] |= 1;
    this.#socket = this.#open();
  }

  /**
   * Asks the broker that listens there for clients. It may be called again, for other brokers of the federation: they are
   * asked in turn.
   *
   * @throws {EndpointError} As `Socket.connect`.
   * @throws {StateError} `EBADF` when it is closed.
   */
  connect(address: string): void {
    this.assertOpen();
    this.#socket.connect(address);
    this.#addresses.push(address);
  }

  /**
   * The reply to a request.
   *
   * @param options With `signal`, nobody waits for the reply any more when that is aborted; the request may be done all the
   * same.
   * @throws {ZmqError} Rejects with `ETIMEDOUT` when no reply came after all retries: whether it was done is not known; with
   * `ENOBUFS` when `maxPending` are under way; with `EBADF` when the client is closed; with the signal's reason.
   */
  request(body: Body, { signal }: { signal?: AbortSignal | undefined } = {}): Promise<Frame[]> {
    return new Promise((resolve, reject) => {
      this.assertOpen();
      signal?.throwIfAborted();
      if (this.#waiting.size >= this.#maxPending) throw this.#crowded();
      const number = this.#nextNumber();
      const frames = [idOf(number), EMPTY, ...framesOf(body)];
      const abort = signal && (() => this.#settle(number)?.reject(signal.reason));
      const waiting = { frames, resolve, reject, signal, abort, tries: 0, sentAt: 0 };
      this.#send(number, waiting);
      this.#requests++;
      if (abort) signal.addEventListener("abort", abort);
    });
  }

  /** Its figures, as they are now. */
  stats(): FederatedClientStats {
    return {
      requests: this.#requests,
      answered: this.#answered,
      failed: this.#failed,
      retried: this.#retried,
      late: this.#late,
      malformed: this.#malformed,
      pending: this.#waiting.size,
    };
  }

  /** @internal */
  protected async shut(): Promise<void> {
    this.#cancelTimer?.();
    for (const number of [...this.#waiting.keys()]) {
      this.#settle(number)!.reject(this.closing.reason);
    }
    await this.#socket.close();
  }

  #open(): Dealer {
    // Nobody waits for the replies to what a client leaves behind.
    const settings = { linger: 0, sendHighWaterMark: 0, routingId: this.#id };
    const socket = new Dealer(socketSettings(this.#options, settings));
    void this.#serve(socket);
    return socket;
  }

  async #serve(socket: Dealer): Promise<void> {
    try {
      await drain(socket, (frames) => this.#take(frames));
    } catch (error) {
      if (!this.closed) this.events.emit("error", { error });
    }
  }

  #take(frames: Frame[]): void {
    const [id, empty] = frames;
    // No more than the id of a request: a cluster that was asked as if by another one declines.
    if (id.length !== 4 || frames.length < 3 || empty.length > 0) {
      this.#malformed++;
      this.events.emit("malformed", { frames });
      return;
    }
    this.#heardAt = now();
    const waiting = this.#settle((id[0] << 24 | id[1] << 16 | id[2] << 8 | id[3]) >>> 0);
    if (waiting === undefined) this.#late++;
    else {
      this.#answered++;
      waiting.resolve(frames.slice(2));
    }
  }

  #nextNumber(): number {
    do {
      this.#number = (this.#number + 1) >>> 0;
    } while (this.#waiting.has(this.#number));
    return this.#number;
  }

  #send(number: number, waiting: Waiting): void {
    this.#socket.trySend(waiting.frames);
    waiting.tries++;
    waiting.sentAt = now();
    this.#waiting.set(number, waiting);
    this.#cancelTimer ??= after(this.#timeout, () => this.#look());
  }

  #settle(number: number): Waiting | undefined {
    const waiting = this.#waiting.get(number);
    if (waiting === undefined) return undefined;
    this.#waiting.delete(number);
    if (waiting.abort) waiting.signal!.removeEventListener("abort", waiting.abort);
    return waiting;
  }

  /** All have the same timeout: those that were sent first are the first to be late. */
  #look(): void {
    this.#cancelTimer = undefined;
    const time = now();
    let fresh = false;
    for (const [number, waiting] of [...this.#waiting]) {
      const left = waiting.sentAt + this.#timeout - time;
      if (left > 0) {
        this.#cancelTimer ??= after(left, () => this.#look());
        return;
      }
      if (waiting.tries > this.#retries) {
        this.#failed++;
        this.#settle(number)!.reject(this.#unanswered(waiting.tries));
        continue;
      }
      // Not a word: perhaps it is the connection.
      if (!fresh && this.#heardAt < waiting.sentAt) {
        this.#renew();
        fresh = true;
      }
      this.#retried++;
      this.#waiting.delete(number);
      this.events.emit("retry", { tries: waiting.tries });
      // A listener may have cancelled it, or closed the client.
      if (this.closed) waiting.reject(this.closing.reason);
      else if (waiting.signal?.aborted) waiting.reject(waiting.signal.reason);
      else this.#send(number, waiting);
    }
  }

  #renew(): void {
    const old = this.#socket;
    this.#socket = this.#open();
    for (const address of this.#addresses) this.#socket.connect(address);
    void old.close();
  }

  #unanswered(tries: number): ZmqError {
    const whom = this.#addresses.join(", ") || "nobody: connect was not called";
    return new ZmqError(
      "ETIMEDOUT",
      `No reply from ${whom}: the request was sent ${tries} times, with ${this.#timeout} ms each; ` +
        `see that the broker and its workers run, or allow more time`,
    );
  }

  #crowded(): ZmqError {
    return new ZmqError(
      "ENOBUFS",
      `${this.#waiting.size} requests are under way already: wait for replies, or raise maxPending`,
    );
  }
}

function idOf(number: number): Uint8Array {
  return Uint8Array.of(number >>> 24, number >>> 16, number >>> 8, number);
}
