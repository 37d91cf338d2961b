// The side of who has something done.

import { Frame, type OperationOptions, ZmqError } from "../../../mod.ts";
import { checkTime } from "../base/checks.ts";
import { type Body, framesOf } from "../base/octets.ts";
import { Part, type PartOptions } from "../base/part.ts";
import { pause } from "../base/time.ts";
import { MajordomoClient } from "../majordomo/mod.ts";

/** Options of a `TitanicClient`. */
export interface TitanicClientOptions extends PartOptions {
  /** Where the Majordomo broker is; of several, the next one is used after each silence. */
  readonly endpoint: string | readonly string[];
  /**
   * How long one try to reach Titanic may take, in milliseconds.
   * @default {2500}
   */
  readonly timeout?: number | undefined;
  /**
   * How often it is tried again.
   * @default {2}
   */
  readonly retries?: number | undefined;
}

/** How `wait` and `request` ask for a reply. */
export interface TitanicWaitOptions extends OperationOptions {
  /**
   * Milliseconds between two questions.
   * @default {100}
   */
  readonly interval?: number | undefined;
}

/** Nothing happens to a `TitanicClient` by itself. */
export interface TitanicClientEvents {
  /** The client beneath failed, which should not be. */
  readonly error: { readonly error: unknown };
}

/** What a `TitanicClient` has counted. */
export interface TitanicClientStats {
  /** Requests that were stored for it. */
  readonly submitted: number;
  /** Replies that it fetched. */
  readonly fetched: number;
  /** Questions for a reply that was not there yet. */
  readonly pending: number;
  /** Requests that it closed. */
  readonly discarded: number;
}

/** Titanic has refused something. */
export class TitanicError extends ZmqError {
  /** The name of the class. */
  override readonly name: string = "TitanicError";
  /** RFC 9: 400 when it makes no sense to try again, 500 when it does. */
  readonly status: 400 | 500;

  /** Made by `TitanicClient`; exported so that `instanceof` works. */
  constructor(code: string, status: 400 | 500, message: string) {
    super(code, message);
    this.status = status;
  }
}

/** Those that come of a broker or a Titanic that is not there for the moment. */
const PASSING: readonly string[] = ["ETIMEDOUT", "EHOSTUNREACH", "EAGAIN"];

/**
 * Has Titanic keep a request, and fetches the reply, at once or another day, in this process or another: all that is needed
 * is the UUID.
 *
 * @example All in one
 * ```ts
 * import {
 *   MajordomoBroker,
 *   MajordomoWorker,
 *   Titanic,
 *   TitanicClient,
 * } from "@wasmq/wasmq/patterns";
 *
 * await using broker = new MajordomoBroker();
 * await broker.bind("tcp://127.0.0.1:*");
 * const endpoint = broker.lastEndpoint!;
 * await using titanic = new Titanic({ endpoint, folder: await Deno.makeTempDir() });
 * await titanic.ready();
 * await using _worker = new MajordomoWorker({
 *   endpoint,
 *   service: "double",
 *   handler: ([number]) => 2 * Number(String(number)),
 * });
 *
 * await using client = new TitanicClient({ endpoint });
 * console.log(String(await client.request("double", 21))); // "42"
 * ```
 */
export class TitanicClient extends Part<TitanicClientEvents> {
  readonly #client: MajordomoClient;
  readonly #counts = { submitted: 0, fetched: 0, pending: 0, discarded: 0 };

  /**
   * Makes a client; broker and Titanic can come later.
   *
   * @throws {TypeError} `EINVAL` for an option that cannot be right.
   */
  constructor(options: TitanicClientOptions) {
    super(options);
    const { endpoint, timeout, retries, context, socketOptions } = options;
    this.#client = new MajordomoClient({ endpoint, timeout, retries, context, socketOptions });
    this.#client.events.on("error", (event) => this.events.emit("error", event));
  }

  /** What has been counted. */
  stats(): TitanicClientStats {
    return { ...this.#counts };
  }

  /**
   * Has a request stored; the UUID by which its reply is fetched. When this resolves, the request is on the disk. When it
   * rejects with `ETIMEDOUT` nobody knows: it may have been stored, once for each try.
   *
   * Rejects with `ETIMEDOUT`, `EBADF`, the signal's reason, and a `TitanicError`: `EINVAL` (400) when the request can never be
   * stored, `EAGAIN` (500) when it cannot be now.
   */
  async submit(service: string, body: Body, options?: OperationOptions): Promise<string> {
    this.assertOpen();
    const [status, frames] = await this.#ask("request", [service, ...framesOf(body)], options);
    if (status === 400) {
      throw new TitanicError(
        "EINVAL",
        400,
        `Titanic refuses the request for ${
          JSON.stringify(service)
        }: the name must be printable and not begin with titanic. or mmi., the body not too long`,
      );
    }
    const uuid = String(frames[0] ?? "");
    if (status !== 200 || !/^[0-9a-z]{32}$/i.test(uuid)) throw unexpected("request", status);
    this.#counts.submitted++;
    return uuid;
  }

  /**
   * The reply to a request; undefined while there is none. It is not removed by that.
   *
   * Rejects with `ETIMEDOUT`, `EBADF`, the signal's reason, and a `TitanicError`: `ENOENT` (400) when Titanic does not know the
   * request, `EAGAIN` (500) when it cannot tell.
   */
  async fetch(uuid: string, options?: OperationOptions): Promise<Frame[] | undefined> {
    this.assertOpen();
    const [status, frames] = await this.#ask("reply", [uuid], options);
    if (status === 200) {
      this.#counts.fetched++;
      return frames;
    }
    if (status === 300) {
      this.#counts.pending++;
      return undefined;
    }
    if (status !== 400) throw unexpected("reply", status);
    throw new TitanicError(
      "ENOENT",
      400,
      `Titanic knows no request ${
        JSON.stringify(uuid)
      }: it was closed, kept for too long, or never was`,
    );
  }

  /**
   * Waits for the reply to a request, for as long as it takes: end it by a signal. A broker or a Titanic that is away for a
   * while is waited for, too. Rejects as `fetch`, but for `ETIMEDOUT` and `EAGAIN`.
   */
  async wait(uuid: string, options: TitanicWaitOptions = {}): Promise<Frame[]> {
    const interval = checkTime("interval", options.interval ?? 100);
    for (;;) {
      const reply = await this.#patiently(() => this.fetch(uuid, options));
      if (reply !== undefined) return reply;
      await pause(interval, AbortSignal.any([this.closing, ...signals(options)]));
      options.signal?.throwIfAborted();
    }
  }

  /** Has Titanic forget a request and its reply. One that it does not know is no error. Rejects as `fetch`. */
  async discard(uuid: string, options?: OperationOptions): Promise<void> {
    this.assertOpen();
    const [status] = await this.#ask("close", [uuid], options);
    if (status === 200) {
      this.#counts.discarded++;
      return;
    }
    if (status !== 400) throw unexpected("close", status);
    throw new TitanicError("EINVAL", 400, `${JSON.stringify(uuid)} is no UUID of Titanic`);
  }

  /**
   * Has a request stored, waits for the reply, and has both removed. When it is cancelled after it was stored, the request is
   * done all the same, and kept for as long as Titanic keeps such.
   */
  async request(
    service: string,
    body: Body,
    options: TitanicWaitOptions = {},
  ): Promise<Frame[]> {
    const uuid = await this.submit(service, body, options);
    const reply = await this.wait(uuid, options);
    // The reply is here: what is left over is removed by Titanic some day.
    await this.#patiently(() => this.discard(uuid, options));
    return reply;
  }

  async #patiently<T>(act: () => Promise<T>): Promise<T | undefined> {
    try {
      return await act();
    } catch (error) {
      if (this.closed || !PASSING.includes((error as { code: string }).code)) throw error;
      return undefined;
    }
  }

  async #ask(
    name: string,
    body: Body,
    options: OperationOptions = {},
  ): Promise<[status: number, frames: Frame[]]> {
    const { signal } = options;
    const [status, ...frames] = await this.#client.request(`titanic.${name}`, body, { signal });
    const [, digits] = /^([2345]00)(?: |$)/.exec(String(status ?? new Frame(0))) ?? [];
    return [Number(digits), frames];
  }

  /** @internal */
  protected shut(): Promise<void> {
    return this.#client.close();
  }
}

function signals({ signal }: OperationOptions): AbortSignal[] {
  return signal === undefined ? [] : [signal];
}

function unexpected(name: string, status: number): ZmqError {
  if (status === 500) {
    const what = "it is full, or its disk failed; try again later";
    return new TitanicError("EAGAIN", 500, `titanic.${name} cannot do it now: ${what}`);
  }
  return new ZmqError("EPROTO", `titanic.${name} answered with what RFC 9 does not know`);
}
