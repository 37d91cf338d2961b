// Lazy Pirate: a client that does not rely on its server.

import { type Frame, type MessageLike, Request, ZmqError } from "../../../mod.ts";
import { checkCount, checkEndpoints, checkTime } from "../base/checks.ts";
import { type Body, framesOf } from "../base/octets.ts";
import { Part, type PartOptions, socketSettings } from "../base/part.ts";
import { now, pause } from "../base/time.ts";

/** Options of a {@linkcode LazyPirateClient}. */
export interface LazyPirateClientOptions extends PartOptions {
  /** Where the server is. With several, each try that fails goes on to the next. */
  readonly endpoint: string | readonly string[];
  /**
   * How long it waits for a reply, each time, in milliseconds.
   * @default {2500}
   */
  readonly timeout?: number | undefined;
  /**
   * How often a request without a reply is tried again.
   * @default {2}
   */
  readonly retries?: number | undefined;
  /**
   * The pause before a request is sent again, in milliseconds; doubled after each.
   * @default {no pause}
   */
  readonly backoff?: number | undefined;
  /**
   * How many requests may be under way, those included that wait for their turn.
   * @default {1000}
   */
  readonly maxPending?: number | undefined;
}

/** What happens to a client. */
export interface LazyPirateClientEvents {
  /** No reply to try number `attempt`, counted from 1: the request is sent again. */
  retry: { readonly endpoint: string; readonly attempt: number };
  /** A reply came, to this try, so many milliseconds after the request was first sent. */
  reply: { readonly endpoint: string; readonly attempt: number; readonly elapsed: number };
  /** A request was given up, or could not be sent; its promise rejects with the error. */
  failure: { readonly error: unknown; readonly attempt: number };
}

/** The figures of a client. */
export interface LazyPirateClientStats {
  /** Requests that were accepted. */
  readonly requests: number;
  /** Those that were answered. */
  readonly replies: number;
  /** Times that a request was sent again. */
  readonly retries: number;
  /** Requests that were given up. */
  readonly failures: number;
  /** Requests that wait for their turn. */
  readonly waiting: number;
}

/** A request until its promise is settled. */
interface Asked {
  readonly frames: readonly MessageLike[];
  readonly resolve: (reply: Frame[]) => void;
  /** Ends it, whether it waits or is under way. */
  readonly reject: (error: unknown) => void;
  /** Aborted when it is over. */
  readonly over: AbortSignal;
}

/**
 * A REQ client that sends a request again when no reply comes in time, each time over a fresh socket, and gives up after a
 * few tries. Any REP service will do, of any ZeroMQ. Requests are asked one at a time, in order; as a socket that was
 * waited for in vain is thrown away, a late reply is never taken for the answer to something else.
 *
 * A service may get a request more than once: it should not matter. Guide, chapter 4; docs/patterns/lazy_pirate.md.
 *
 * @example Ask
 * ```ts
 * import { Reply } from "@wasmq/wasmq";
 * import { LazyPirateClient } from "@wasmq/wasmq/patterns";
 *
 * const service = new Reply();
 * await service.bind("tcp://127.0.0.1:*");
 * (async () => {
 *   for await (const [question] of service) await service.send(`${question}? yes`);
 * })();
 *
 * const client = new LazyPirateClient({ endpoint: service.lastEndpoint!, timeout: 1000, retries: 5 });
 * const [answer] = await client.request("ready");
 * console.log(String(answer)); // "ready? yes"
 *
 * await client.close();
 * await service.close();
 * ```
 */
export class LazyPirateClient extends Part<LazyPirateClientEvents> {
  readonly #options: PartOptions;
  readonly #endpoints: readonly string[];
  readonly #timeout: number;
  readonly #retries: number;
  readonly #backoff: number;
  readonly #maxPending: number;
  readonly #waiting: Asked[] = [];
  #current: Asked | undefined;
  #socket: Request | undefined;
  /** Which endpoint the socket is connected to, or the next one will be. */
  #at = 0;
  readonly #counts = { requests: 0, replies: 0, retries: 0, failures: 0 };

  /**
   * Makes a client; it connects with its first request.
   *
   * @throws {TypeError} `EINVAL` for options that cannot be right.
   */
  constructor(options: LazyPirateClientOptions) {
    const { endpoint, timeout = 2500, retries = 2, backoff, maxPending = 1000 } = options;
    const endpoints = checkEndpoints("endpoint", endpoint);
    checkTime("timeout", timeout);
    checkCount("retries", retries, 0);
    checkCount("maxPending", maxPending, 1);
    if (backoff !== undefined) checkTime("backoff", backoff);
    super(options);
    this.#options = options;
    this.#endpoints = endpoints;
    this.#timeout = timeout;
    this.#retries = retries;
    this.#backoff = backoff ?? 0;
    this.#maxPending = maxPending;
  }

  /**
   * Asks, and answers the frames of the reply. Requests that were made before go first.
   *
   * Rejects with `ETIMEDOUT` when no reply came to any try, `ENOBUFS` when `maxPending` requests are under way, `EBADF` when the
   * client is closed, `EINVAL` for what cannot be sent, and the signal's reason when cancelled.
   */
  request(
    body: Body,
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<Frame[]> {
    const { signal } = options;
    try {
      this.assertOpen();
      signal?.throwIfAborted();
      const pending = this.#waiting.length + (this.#current === undefined ? 0 : 1);
      if (pending >= this.#maxPending) throw tooMany(this.#maxPending);
    } catch (error) {
      return Promise.reject(error);
    }
    this.#counts.requests++;
    return new Promise((resolve, reject) => {
      const over = new AbortController();
      const settle = (): void => {
        signal?.removeEventListener("abort", cancel);
        over.abort();
      };
      const cancel = (): void => this.#cancel(asked, signal!.reason);
      const asked: Asked = {
        frames: [...framesOf(body)],
        over: over.signal,
        resolve: (reply) => {
          settle();
          resolve(reply);
        },
        reject: (error) => {
          settle();
          reject(error);
        },
      };
      signal?.addEventListener("abort", cancel);
      this.#waiting.push(asked);
      if (this.#current === undefined) void this.#serve();
    });
  }

  /** The figures as they are now. */
  stats(): LazyPirateClientStats {
    return { ...this.#counts, waiting: this.#waiting.length };
  }

  /** @internal */
  protected override async shut(): Promise<void> {
    const { reason } = this.closing;
    for (const asked of this.#waiting.splice(0)) asked.reject(reason);
    this.#current?.reject(reason);
    await this.#discard();
  }

  /** A request that is under way takes its socket with it: the reply may still come. */
  #cancel(asked: Asked, reason: unknown): void {
    const place = this.#waiting.indexOf(asked);
    if (place >= 0) this.#waiting.splice(place, 1);
    asked.reject(reason);
    if (asked === this.#current) void this.#discard();
  }

  async #serve(): Promise<void> {
    for (let asked = this.#waiting.shift(); asked !== undefined; asked = this.#waiting.shift()) {
      this.#current = asked;
      await this.#ask(asked);
    }
    this.#current = undefined;
  }

  async #ask(asked: Asked): Promise<void> {
    const start = now();
    for (let attempt = 1;; attempt++) {
      const endpoint = this.#endpoints[this.#at];
      try {
        const reply = await this.#try(asked);
        if (asked.over.aborted) return;
        this.#counts.replies++;
        if (this.events.heard("reply")) {
          this.events.emit("reply", { endpoint, attempt, elapsed: now() - start });
        }
        return asked.resolve(reply);
      } catch (error) {
        if (asked.over.aborted) return;
        void this.#discard();
        if (!isLate(error)) return this.#fail(asked, error, attempt);
      }
      this.#at = (this.#at + 1) % this.#endpoints.length;
      if (attempt > this.#retries) return this.#fail(asked, this.#noReply(), attempt);
      this.#counts.retries++;
      this.events.emit("retry", { endpoint, attempt });
      if (this.#backoff > 0) await pause(this.#backoff * 2 ** (attempt - 1), asked.over);
      if (asked.over.aborted) return;
    }
  }

  async #try({ frames }: Asked): Promise<Frame[]> {
    const socket = this.#socket ??= this.#open();
    const deadline = now() + this.#timeout;
    await socket.send(frames);
    socket.receiveTimeout = Math.max(1, Math.ceil(deadline - now()));
    return await socket.receive();
  }

  #open(): Request {
    const sendTimeout = Math.ceil(this.#timeout);
    const socket = new Request(socketSettings(this.#options, { linger: 0, sendTimeout }));
    try {
      socket.connect(this.#endpoints[this.#at]);
    } catch (error) {
      void socket.close();
      throw error;
    }
    return socket;
  }

  #discard(): Promise<void> | undefined {
    const socket = this.#socket;
    this.#socket = undefined;
    return socket?.close();
  }

  #fail(asked: Asked, error: unknown, attempt: number): void {
    this.#counts.failures++;
    this.events.emit("failure", { error, attempt });
    asked.reject(error);
  }

  #noReply(): ZmqError {
    const address = this.#endpoints.join(", ");
    const times = this.#retries === 0 ? "once" : `${this.#retries + 1} times`;
    return new ZmqError(
      "ETIMEDOUT",
      `No reply from ${address}: the request was sent ${times}, for ${this.#timeout} ms each; ` +
        "check that the service runs and is not slower than timeout",
      { address },
    );
  }
}

/** What a socket says when its time is over. */
function isLate(error: unknown): boolean {
  return error instanceof ZmqError && error.code === "EAGAIN";
}

function tooMany(most: number): ZmqError {
  return new ZmqError(
    "ENOBUFS",
    `Cannot ask: ${most} requests are under way already, as many as maxPending allows; wait for replies first`,
  );
}
