// What servers have in common: a ROUTER, a handler, and as many requests in progress as they are allowed.

import { type Frame, type MessageLike, Router } from "../../../mod.ts";
import { checkCount, checkFunction } from "../base/checks.ts";
import { drain } from "../base/drain.ts";
import { type Body, framesOf } from "../base/octets.ts";
import { Part, type PartOptions, socketSettings } from "../base/part.ts";

/** What a handler is told beside the request. */
export interface FreelanceRequestInfo {
  /** Aborted when the server is closed: nobody waits for the reply any more. */
  readonly signal: AbortSignal;
  /** The routing id of the client. */
  readonly client: Frame;
}

/** Answers a request: the frames of its body come in, those of the reply's body go out. */
export type FreelanceHandler = (
  request: Frame[],
  info: FreelanceRequestInfo,
) => Body | Promise<Body>;

/** Options of a `FreelanceServer` and a `ShotgunServer`. */
export interface FreelanceServerOptions extends PartOptions {
  /** Does the work. Several requests may be in its hands at a time. A request that it throws for is not answered. */
  readonly handler: FreelanceHandler;
  /**
   * How many requests may be in progress; those beyond are dropped, and clients ask another server.
   * @default {10000}
   */
  readonly maxInProgress?: number | undefined;
}

/** What a server tells. */
export interface FreelanceServerEvents {
  /** The handler threw, or returned what cannot be sent. Without a listener that is an uncaught error. */
  error: { readonly error: unknown; readonly request: readonly Frame[] };
  /** A client sent what is no request; it was dropped. */
  malformed: {
    /** The routing id of the client. */
    readonly peer: Frame;
    readonly reason: string;
    readonly frames: readonly Frame[];
  };
}

/** What a server has counted. */
export interface FreelanceServerStats {
  /** Requests that the handler was given. */
  readonly requests: number;
  /** Replies that were sent. */
  readonly replies: number;
  /** PINGs that were answered. */
  readonly pings: number;
  /** Requests that were dropped because `maxInProgress` others were there. */
  readonly refused: number;
  /** Requests that the handler threw for. */
  readonly failed: number;
  /** Replies that nobody could be sent: the client is gone, or does not read. */
  readonly undelivered: number;
  /** Messages that were no requests. */
  readonly malformed: number;
  /** Requests in progress. */
  readonly inProgress: number;
}

const LINGER_MS = 1000;

/** What `FreelanceServer` and `ShotgunServer` have in common. */
export abstract class FreelanceServing extends Part<FreelanceServerEvents> {
  /** @internal */
  protected readonly router: Router;
  readonly #handler: FreelanceHandler;
  readonly #limit: number;
  #requests = 0;
  #replies = 0;
  #pings = 0;
  #refused = 0;
  #failed = 0;
  #undelivered = 0;
  #malformed = 0;
  #inProgress = 0;
  #reading: Promise<void> | undefined;

  /** @internal */
  constructor(options: FreelanceServerOptions) {
    super(options);
    this.#handler = checkFunction("handler", options.handler);
    this.#limit = checkCount("maxInProgress", options.maxInProgress ?? 10_000, 1);
    const linger = options.socketOptions?.linger ?? LINGER_MS;
    this.router = new Router(socketSettings(options, { linger, mandatory: true }));
  }

  /** @internal */
  protected begin(): void {
    this.#reading ??= this.#read();
  }

  #read(): Promise<void> {
    return drain(this.router, (frames) => this.take(frames));
  }

  /** @internal One message, with the client's routing id before it. */
  protected abstract take(frames: Frame[]): void;

  /** @internal */
  protected pong(reply: readonly MessageLike[]): void {
    this.#pings++;
    this.#deliver(reply);
  }

  /** @internal */
  protected refuse(frames: Frame[]): void {
    this.#malformed++;
    if (this.events.heard("malformed")) {
      const [peer, ...rest] = frames;
      this.events.emit("malformed", { peer, reason: "it is no request", frames: rest });
    }
  }

  /** @internal Has a request answered; `envelope` goes before the reply. */
  protected answer(envelope: readonly Frame[], request: Frame[]): void {
    if (this.#inProgress >= this.#limit) {
      this.#refused++;
      return;
    }
    this.#requests++;
    try {
      const reply = this.#handler(request, { signal: this.closing, client: envelope[0] });
      if (!isPromise(reply)) return this.#reply(envelope, reply);
      this.#inProgress++;
      reply.then((body) => this.#reply(envelope, body))
        .catch((error: unknown) => this.#fail(error, request))
        .finally(() => this.#inProgress--);
    } catch (error) {
      this.#fail(error, request);
    }
  }

  #reply(envelope: readonly Frame[], body: Body): void {
    if (this.closed) return;
    const frames = framesOf(body);
    if (frames.length === 0) throw new TypeError("A reply must have at least one frame");
    if (this.#deliver([...envelope, ...frames])) this.#replies++;
  }

  #fail(error: unknown, request: readonly Frame[]): void {
    this.#failed++;
    // Work that was given up because the server closes has failed for a good reason.
    if (!this.closed) this.events.emit("error", { error, request });
  }

  /** Never waits: a client that does not read keeps nobody from theirs. */
  #deliver(message: readonly MessageLike[]): boolean {
    if (this.closed) return false;
    try {
      if (this.router.trySend(message)) return true;
    } catch (error) {
      if ((error as { code?: string }).code !== "EHOSTUNREACH") throw error;
    }
    this.#undelivered++;
    return false;
  }

  /** What it has counted so far. */
  stats(): FreelanceServerStats {
    return {
      requests: this.#requests,
      replies: this.#replies,
      pings: this.#pings,
      refused: this.#refused,
      failed: this.#failed,
      undelivered: this.#undelivered,
      malformed: this.#malformed,
      inProgress: this.#inProgress,
    };
  }

  /** @internal */
  protected override async shut(): Promise<void> {
    await this.router?.close();
    await this.#reading;
  }
}

function isPromise(value: Body | Promise<Body>): value is Promise<Body> {
  return typeof (value as { then?: unknown } | null)?.then === "function";
}
