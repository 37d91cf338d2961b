// Simple Pirate's worker: a REQ socket that asks for work.

import { type Frame, Request, ZmqError } from "../../../mod.ts";
import { checkFunction, checkTime } from "../base/checks.ts";
import { Part, type PartOptions, socketSettings } from "../base/part.ts";
import { contentOf, READY } from "./commands.ts";
import { enveloped, type PirateHandler } from "./handler.ts";

/** Options of a {@linkcode SimplePirateWorker}. */
export interface SimplePirateWorkerOptions extends PartOptions {
  /** Answers the requests. */
  readonly handler: PirateHandler;
  /**
   * How long it waits for a request before it says READY anew, over a fresh socket, in milliseconds: so it is found again
   * by a queue that was restarted. Without it, as in the guide, such a queue never hears of it.
   * @default {it waits for ever}
   */
  readonly timeout?: number | undefined;
}

/** What happens to a worker. */
export interface SimplePirateWorkerEvents {
  /** It said READY over a fresh socket. */
  ready: { readonly endpoint: string };
  /** A request without an envelope; it was dropped. */
  malformed: { readonly frames: readonly Frame[] };
  /** What the handler threw, or why the worker cannot go on. */
  error: { readonly error: unknown };
}

/** The figures of a worker. */
export interface SimplePirateWorkerStats {
  /** Requests that it got. */
  readonly requests: number;
  /** Those that it answered. */
  readonly replies: number;
  /** Those whose handler threw. */
  readonly failures: number;
  /** Requests without an envelope. */
  readonly malformed: number;
  /** Sockets that it has had. */
  readonly sockets: number;
}

/** How long `close` waits for a reply to leave. */
const LINGER = 1000;

/**
 * A REQ worker for a {@linkcode LoadBalancingBroker}, or the guide's Simple Pirate queue: it says READY, answers one
 * request after the other, and says READY again instead of answering when its handler throws.
 *
 * It does not notice when the queue is gone, unless it has a `timeout`. Guide, chapter 4; docs/patterns/simple_pirate.md.
 *
 * @example A worker that shouts
 * ```ts
 * import { LazyPirateClient, LoadBalancingBroker, SimplePirateWorker } from "@wasmq/wasmq/patterns";
 *
 * const broker = new LoadBalancingBroker();
 * await broker.bind("tcp://127.0.0.1:*", "tcp://127.0.0.1:*");
 * const worker = new SimplePirateWorker({ handler: ([text]) => String(text).toUpperCase() });
 * worker.connect(broker.backendEndpoint!);
 *
 * const client = new LazyPirateClient({ endpoint: broker.frontendEndpoint! });
 * console.log(String((await client.request("ahoy"))[0])); // "AHOY"
 *
 * await client.close();
 * await worker.close();
 * await broker.close();
 * ```
 */
export class SimplePirateWorker extends Part<SimplePirateWorkerEvents> {
  readonly #options: SimplePirateWorkerOptions;
  #socket: Request | undefined;
  readonly #counts = { requests: 0, replies: 0, failures: 0, malformed: 0, sockets: 0 };

  /**
   * Makes a worker; `connect` starts it.
   *
   * @throws {TypeError} `EINVAL` for options that cannot be right.
   */
  constructor(options: SimplePirateWorkerOptions) {
    checkFunction("handler", options.handler);
    if (options.timeout !== undefined) checkTime("timeout", options.timeout);
    super(options);
    this.#options = options;
  }

  /**
   * Begins to work for the queue at an address, for as long as it is open.
   *
   * @throws {EndpointError} As `Socket.connect`.
   * @throws {ZmqError} `EBUSY` when it works for a queue already, `EBADF` when it is closed.
   */
  connect(endpoint: string): void {
    this.assertOpen();
    if (this.#socket !== undefined) {
      throw new ZmqError("EBUSY", "A worker has one queue: make another worker for another queue");
    }
    this.#open(endpoint);
    void this.#work(endpoint);
  }

  /** The figures as they are now. */
  stats(): SimplePirateWorkerStats {
    return { ...this.#counts };
  }

  /** @internal */
  protected override async shut(): Promise<void> {
    await this.#socket?.close();
  }

  #open(endpoint: string): Request {
    const { socketOptions, timeout } = this.#options;
    const socket = new Request(
      socketSettings(this.#options, {
        linger: socketOptions?.linger ?? LINGER,
        immediate: false,
        ...(timeout !== undefined && { receiveTimeout: Math.ceil(timeout) }),
      }),
    );
    try {
      socket.connect(endpoint);
    } catch (error) {
      void socket.close();
      throw error;
    }
    this.#counts.sockets++;
    return this.#socket = socket;
  }

  async #work(endpoint: string): Promise<void> {
    try {
      for (let socket = this.#socket!;; socket = this.#open(endpoint)) {
        await socket.send(READY);
        this.events.emit("ready", { endpoint });
        for (let request = await next(socket); request; request = await next(socket)) {
          await this.#answer(socket, request);
        }
        if (this.closed) return;
        void socket.close();
      }
    } catch (error) {
      if (this.closed) return;
      this.events.emit("error", { error });
      await this.close();
    }
  }

  /** Answers a request; READY instead of a reply tells the queue not to wait. */
  async #answer(socket: Request, request: Frame[]): Promise<void> {
    const at = contentOf(request, 0);
    if (at === 0) {
      this.#counts.malformed++;
      this.events.emit("malformed", { frames: request });
      return await socket.send(READY);
    }
    this.#counts.requests++;
    const { handler } = this.#options;
    try {
      const body = await handler(request.slice(at), { signal: this.closing });
      if (this.closed) return;
      await socket.send(enveloped(request.slice(0, at), body));
      this.#counts.replies++;
    } catch (error) {
      if (this.closed) return;
      this.#counts.failures++;
      this.events.emit("error", { error });
      await socket.send(READY);
    }
  }
}

/** The next request; undefined when none came in time, or the socket was closed meanwhile. */
async function next(socket: Request): Promise<Frame[] | undefined> {
  try {
    return await socket.receive();
  } catch (error) {
    if (error instanceof ZmqError && error.code === "EAGAIN") return undefined;
    throw error;
  }
}
