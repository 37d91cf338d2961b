// Asks the server of a Binary Star pair that answers.

import { type Frame, Request, ZmqError } from "../../../mod.ts";
import { checkCount, checkEndpoints, checkTime } from "../base/checks.ts";
import { type Body, framesOf } from "../base/octets.ts";
import { Part, type PartOptions, socketSettings } from "../base/part.ts";
import { pause } from "../base/time.ts";

/** Options of a {@linkcode BinaryStarClient}. */
export interface BinaryStarClientOptions extends PartOptions {
  /** Where the servers answer, the primary first. */
  readonly servers: readonly string[];
  /**
   * Milliseconds until a server that has not answered is given up.
   * @default {1000}
   */
  readonly timeout?: number | undefined;
  /**
   * Milliseconds to wait before the next server is asked. Together with `timeout` it should be longer than the patience of
   * the pair: then the other server is ready to take over when it is asked.
   * @default {2500}
   */
  readonly settleDelay?: number | undefined;
  /**
   * How often a request is sent again, to one server after the other. More than for a client of one server: a pair needs a
   * moment before the other one takes over.
   * @default {5}
   */
  readonly retries?: number | undefined;
}

/** What a {@linkcode BinaryStarClient} tells. */
export interface BinaryStarClientEvents {
  /** A server did not answer in time; the next one will be asked. */
  failover: { readonly from: string; readonly to: string };
}

/** Figures of a {@linkcode BinaryStarClient}. */
export interface BinaryStarClientStats {
  /** Requests that were sent, each try counted. */
  readonly sent: number;
  /** Replies. */
  readonly replies: number;
  /** How often it went on to the next server. */
  readonly failovers: number;
}

/**
 * A client of a Binary Star pair (guide, chapter 4: bstarcli): it asks one server, by a REQ socket, and goes on to the
 * other when it gets no answer. One request is under way at a time; others wait for their turn.
 *
 * A request whose reply was lost is sent again: the service may see it twice.
 *
 * @example Ask a pair
 * ```ts
 * import { Router } from "@wasmq/wasmq";
 * import { BinaryStar, BinaryStarClient } from "@wasmq/wasmq/patterns";
 *
 * await using star = new BinaryStar({ role: "primary", heartbeatInterval: 50 });
 * await star.bind("tcp://127.0.0.1:*");
 * star.connect("inproc://the backup, which is not there"); // so this one serves after a while
 * await using router = new Router();
 * await router.bind("tcp://127.0.0.1:*");
 * star.voter(router, ([id, empty, text]) => router.send([id, empty, `${text}, world`]));
 *
 * await using client = new BinaryStarClient({
 *   servers: [router.lastEndpoint!],
 *   timeout: 100,
 *   settleDelay: 100,
 * });
 * const [reply] = await client.request("hello");
 * console.log(String(reply)); // hello, world
 * ```
 */
export class BinaryStarClient extends Part<BinaryStarClientEvents> {
  readonly #options: BinaryStarClientOptions;
  readonly #servers: readonly string[];
  readonly #timeout: number;
  readonly #settleDelay: number;
  readonly #tries: number;
  readonly #counters = { sent: 0, replies: 0, failovers: 0 };
  #last: Promise<unknown> = Promise.resolve();
  #socket: Request | undefined;
  #at = 0;

  /** Makes a client; it connects with the first request. */
  constructor(options: BinaryStarClientOptions) {
    super(options);
    this.#options = options;
    this.#servers = checkEndpoints("servers", options.servers);
    this.#timeout = checkTime("timeout", options.timeout ?? 1000);
    this.#settleDelay = checkTime("settleDelay", options.settleDelay ?? 2500);
    this.#tries = 1 + checkCount("retries", options.retries ?? 5, 0);
  }

  /** The server that is asked first by the next request. */
  get server(): string {
    return this.#servers[this.#at];
  }

  /** The figures as they are now. */
  stats(): BinaryStarClientStats {
    return { ...this.#counters };
  }

  /**
   * Sends a request and resolves with the reply.
   *
   * @throws {ZmqError} Rejects with `ETIMEDOUT` when no server answered after all `retries`, `EBADF` when the client is closed,
   * and the signal's reason when cancelled.
   */
  request(body: Body, { signal }: { readonly signal?: AbortSignal } = {}): Promise<Frame[]> {
    const reply = this.#last.then(() => this.#ask(body, signal));
    this.#last = reply.catch(() => {});
    return reply;
  }

  async #ask(body: Body, signal: AbortSignal | undefined): Promise<Frame[]> {
    this.assertOpen();
    signal?.throwIfAborted();
    const given = signal ? AbortSignal.any([signal, this.closing]) : this.closing;
    for (let tried = 1;; tried++) {
      const socket = this.#socket ??= this.#open();
      try {
        await socket.send(framesOf(body), { signal: given });
        this.#counters.sent++;
        const reply = await socket.receive({ signal: given });
        this.#counters.replies++;
        return reply;
      } catch (error) {
        // A REQ that has no reply is of no use any more.
        this.#socket = undefined;
        await socket.close();
        if (given.aborted) throw given.reason;
        if ((error as ZmqError).code !== "EAGAIN") throw error;
      }
      const from = this.server;
      this.#at = (this.#at + 1) % this.#servers.length;
      if (tried === this.#tries) {
        throw new ZmqError(
          "ETIMEDOUT",
          `No reply after ${tried} tries of ${this.#timeout} ms at ${this.#servers.join(", ")}: ` +
            "is one of the servers there, and active?",
        );
      }
      this.#counters.failovers++;
      this.events.emit("failover", { from, to: this.server });
      await pause(this.#settleDelay, given);
      given.throwIfAborted();
    }
  }

  #open(): Request {
    const times = { linger: 0, sendTimeout: this.#timeout, receiveTimeout: this.#timeout };
    const socket = new Request(socketSettings(this.#options, times));
    socket.connect(this.server);
    return socket;
  }

  /** @internal */
  protected override async shut(): Promise<void> {
    await this.#last;
    await this.#socket?.close();
  }
}
