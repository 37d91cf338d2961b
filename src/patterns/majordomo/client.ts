// A client of Majordomo: any number of requests at once, each with its own reply.

import { type Frame, ZmqError } from "../../../mod.ts";
import { checkCount, checkEndpoints, checkName, checkTime } from "../base/checks.ts";
import { type Body, sameOctets } from "../base/octets.ts";
import { Part, type PartOptions, socketSettings } from "../base/part.ts";
import { Ask, type AskResult, Names } from "./ask.ts";
import { type Carrier, type CarrierHost, Lanes, Trunk } from "./carriers.ts";
import type {
  MajordomoClientEvents,
  MajordomoClientOptions,
  MajordomoClientStats,
  MajordomoPart,
  MajordomoRequestOptions,
} from "./client_options.ts";
import { Line, readReply } from "./line.ts";
import { ENVELOPES } from "./mmi.ts";
import { type Dialect, dialectOf } from "./protocol.ts";
import { Parts } from "./stream.ts";
import { Ticker } from "../base/ticker.ts";

/** Time goes in so many steps for one try. */
const STEPS = 10;

/**
 * Asks services by their names, at a broker of MDP 0.1 (RFC 7) or 0.2 (RFC 18). A request without a reply is tried again, as
 * the Lazy Pirate of the guide does; so a service may get it more than once. Chapter 4 of the guide.
 *
 * Any number of requests may be under way, and each gets its own reply, however many workers there are. MDP does not number
 * requests: a `MajordomoBroker` keeps a number that is put in front of one, so that all can share one connection; with other
 * brokers each request under way has a connection of its own, up to `lanes`, and others wait. Which it is the client finds
 * out by itself.
 *
 * @example Many at once
 * ```ts
 * import { MajordomoBroker, MajordomoClient, MajordomoWorker } from "@wasmq/wasmq/patterns";
 *
 * await using broker = new MajordomoBroker();
 * await broker.bind("tcp://127.0.0.1:*");
 * const endpoint = broker.lastEndpoint!;
 * await using worker = new MajordomoWorker({
 *   endpoint,
 *   service: "square",
 *   handler: ([n]) => `${Number(n) ** 2}`,
 * });
 *
 * await using client = new MajordomoClient({ endpoint, timeout: 5000 });
 * while (!await client.exists("square"));
 * const replies = await Promise.all([1, 2, 3].map((n) => client.request("square", `${n}`)));
 * console.log(replies.join()); // "1,4,9"
 * ```
 */
export class MajordomoClient extends Part<MajordomoClientEvents> {
  readonly #options: PartOptions;
  readonly #endpoints: readonly string[];
  readonly #dialect: Dialect;
  readonly #timeout: number;
  readonly #retries: number;
  readonly #maxPending: number;
  readonly #names: Names = new Names();
  readonly #ticker: Ticker;
  readonly #asks: Map<number, Ask> = new Map();
  #number: number = crypto.getRandomValues(new Uint32Array(1))[0];
  readonly #lanes: Lanes;
  readonly #trunk: Trunk;
  /** Whether the broker keeps what is in front of requests; undefined as long as it is not known. */
  #envelopes: boolean | undefined;
  /** Asks the broker whether it does. */
  #probe: Ask | undefined;
  #endpoint = 0;
  readonly #counts = {
    requests: 0,
    replies: 0,
    partials: 0,
    retries: 0,
    timeouts: 0,
    late: 0,
    malformed: 0,
  };

  /**
   * Makes a client, which connects with its first request.
   *
   * @throws {TypeError} `EINVAL` for options that make no sense.
   */
  constructor(options: MajordomoClientOptions) {
    super(options);
    this.#options = options;
    this.#endpoints = checkEndpoints("endpoint", options.endpoint);
    this.#dialect = dialectOf(options.version);
    this.#timeout = checkTime("timeout", options.timeout ?? 2500);
    this.#retries = checkCount("retries", options.retries ?? 2, 0);
    this.#maxPending = checkCount("maxPending", options.maxPending ?? 10_000, 1);
    const lanes = checkCount("lanes", options.lanes ?? 16, 1);
    this.#envelopes = options.envelopes;
    this.#ticker = new Ticker(Math.min(100, this.#timeout / STEPS), this.#tick);
    // While the broker is being asked, one request at a time is enough to get on.
    this.#lanes = new Lanes(this.#host, () => {
      if (this.#envelopes) return 0;
      return this.#probe === undefined ? lanes : Math.min(lanes, 2);
    });
    this.#trunk = new Trunk(this.#host);
  }

  /**
   * Asks a service; resolves to the frames of its reply, in version 0.2 to those of its last part.
   *
   * Rejects with `ETIMEDOUT` when no try led to a reply, `EBADF` when the client is closed, `ENOBUFS` when `maxPending`
   * requests are under way, `EINVAL` for what cannot be asked, and the signal's reason when given up.
   */
  request(service: string, body: Body, options?: MajordomoRequestOptions): Promise<Frame[]> {
    return new Promise((done, fail) => this.#ask(service, body, { done, fail }, options));
  }

  /**
   * Asks a service, and gives the parts of its reply as they come; the last one is `final`, and with version 0.1 the only
   * one. Once a part has come the request is not tried again. A loop that is left gives the request up.
   *
   * Fails as `request` does, and with `ENOBUFS` when too many parts have come that were not read.
   */
  stream(
    service: string,
    body: Body,
    options?: MajordomoRequestOptions,
  ): AsyncIterableIterator<MajordomoPart> {
    const parts = new Parts(() => ask !== undefined && this.#drop(ask));
    const ask = this.#ask(service, body, parts, options);
    return parts;
  }

  /** True when a service has a worker, as the broker tells. `mmi.service`, RFC 8. Fails as `request` does. */
  async exists(service: string, options?: MajordomoRequestOptions): Promise<boolean> {
    return await this.manage("service", checkName("service", service), options) === "200";
  }

  /** Asks the broker itself: the answer of `mmi.` and the name, such as `"200"`. RFC 8. Fails as `request` does. */
  async manage(name: string, body: Body, options?: MajordomoRequestOptions): Promise<string> {
    const [code] = await this.request(`mmi.${name}`, body, options);
    return code.toString();
  }

  /** Its figures, as they are now. */
  stats(): MajordomoClientStats {
    return {
      pending: this.#asks.size,
      connections: this.#lanes.connections + this.#trunk.connections,
      ...this.#counts,
    };
  }

  // Requests

  #ask(
    service: string,
    body: Body,
    result: AskResult,
    { signal, timeout, retries }: MajordomoRequestOptions = {},
  ): Ask | undefined {
    try {
      this.assertOpen();
      signal?.throwIfAborted();
      const ask = this.#newAsk(
        service,
        body,
        result,
        timeout === undefined ? this.#timeout : checkTime("timeout", timeout),
        retries === undefined ? this.#retries : checkCount("retries", retries, 0),
      );
      if (this.#asks.size >= this.#maxPending) {
        throw new ZmqError(
          "ENOBUFS",
          `${this.#asks.size} requests are under way, as many as maxPending allows: wait for some`,
        );
      }
      this.#counts.requests++;
      this.#start(ask);
      if (signal !== undefined) {
        const stop = () => this.#drop(ask, signal.reason);
        signal.addEventListener("abort", stop);
        ask.forget = () => signal.removeEventListener("abort", stop);
      }
      return ask;
    } catch (error) {
      result.fail(error);
      return undefined;
    }
  }

  #newAsk(service: string, body: Body, result: AskResult, timeout: number, retries: number): Ask {
    const name = this.#names.of(service) ?? this.#names.add(checkName("service", service));
    const number = this.#number = (this.#number + 1) >>> 0;
    const { time } = this.#ticker;
    return new Ask(this.#dialect, number, service, name, body, result, timeout, retries, time);
  }

  #start(ask: Ask): void {
    if (!this.#ticker.running) this.#ticker.start();
    this.#asks.set(ask.number, ask);
    try {
      if (this.#envelopes === undefined && this.#probe === undefined) this.#askForEnvelopes();
      this.#carrierOf(ask).start(ask);
    } catch (error) {
      this.#forget(ask);
      throw error;
    }
  }

  #carrierOf(ask: Ask): Carrier {
    return this.#envelopes === true && ask.lane === undefined ? this.#trunk : this.#lanes;
  }

  #askForEnvelopes(): void {
    const done = ([code]: Frame[]) => this.#learn(code?.toString() === "200");
    // A broker that answers other requests only does not know of MMI.
    const fail = () => this.#learn(this.#counts.replies > 0 ? false : undefined);
    const probe = this.#newAsk(ENVELOPES, "", { done, fail }, this.#timeout, 0);
    this.#probe = probe;
    this.#lanes.startFirst(probe);
  }

  #learn(envelopes: boolean | undefined): void {
    if (this.closed) return;
    this.#probe = undefined;
    this.#envelopes = envelopes;
    if (envelopes) {
      this.#lanes.tidy();
      for (const ask of this.#lanes.takeWaiting()) this.#trunk.start(ask);
    } else {
      if (envelopes === undefined && this.#asks.size > 0) this.#askForEnvelopes();
      this.#lanes.serve();
    }
  }

  /** Ends a request without a reply. */
  #drop(ask: Ask, error?: unknown): void {
    if (!this.#asks.has(ask.number)) return;
    this.#carrierOf(ask).drop(ask);
    this.#forget(ask);
    if (error !== undefined) ask.result.fail(error);
  }

  #forget(ask: Ask): void {
    this.#asks.delete(ask.number);
    ask.forget?.();
  }

  readonly #tick = (time: number): void => {
    if (this.#probe !== undefined && this.#probe.deadline <= time) {
      const probe = this.#probe;
      this.#lanes.drop(probe);
      probe.result.fail(undefined);
    }
    for (const ask of this.#asks.values()) if (ask.deadline <= time) this.#late(ask);
    if (this.#asks.size === 0 && this.#probe === undefined) this.#ticker.stop();
  };

  #late(ask: Ask): void {
    if (ask.left === 0 || ask.begun) {
      this.#counts.timeouts++;
      const { lane } = ask;
      this.#drop(ask, ask.late());
      // The connection may be to a broker that is gone: the next request is not to wait for that again.
      if (lane !== undefined) this.#next();
      else if (this.#envelopes) this.#trunk.doubt(ask);
      return;
    }
    ask.left--;
    ask.tries++;
    ask.deadline = this.#ticker.time + ask.timeout;
    this.#counts.retries++;
    this.events.emit("retry", { service: ask.service, left: ask.left });
    // A listener may have given it up.
    if (this.#asks.has(ask.number)) this.#carrierOf(ask).retry(ask);
  }

  #next(): void {
    this.#endpoint = (this.#endpoint + 1) % this.#endpoints.length;
  }

  // What carriers need

  get #host(): CarrierHost {
    const ticker = this.#ticker;
    return {
      asks: this.#asks,
      open: (carrier) => this.#open(carrier),
      replace: (line) => {
        this.#next();
        line.close();
        this.events.emit("silent", { endpoint: line.endpoint });
      },
      get time() {
        return ticker.time;
      },
      take: (ask, message, at) => this.#take(ask, message, at),
      late: () => this.#counts.late++,
      malformed: (reason) => this.#malformed(reason),
    };
  }

  #open(carrier: Carrier): Line {
    const endpoint = this.#endpoints[this.#endpoint];
    return new Line(endpoint, socketSettings(this.#options, {}), this.#ticker.time, {
      arrived: (line, message) => carrier.arrived(line, message),
      broken: (error) => this.events.emit("error", { error }),
    });
  }

  #take(ask: Ask, message: Frame[], at: number): boolean {
    const head = readReply(this.#dialect, message, at);
    if (head === undefined || !sameOctets(head.name, ask.name)) {
      this.#malformed(head === undefined ? "not a reply" : "a reply of another service");
      return false;
    }
    const body = message.slice(head.bodyAt);
    if (!head.final) {
      this.#counts.partials++;
      ask.begun = ask.result.part !== undefined;
      ask.deadline = this.#ticker.time + ask.timeout;
      ask.result.part?.(body);
      return false;
    }
    if (ask === this.#probe) {
      // Its carrier is told first: much comes of it.
      queueMicrotask(() => ask.result.done(body));
      return true;
    }
    this.#counts.replies++;
    this.#forget(ask);
    ask.result.done(body);
    return true;
  }

  #malformed(reason: string): void {
    this.#counts.malformed++;
    this.events.emit("malformed", { reason });
  }

  /** @internal */
  protected override async shut(): Promise<void> {
    this.#ticker.stop();
    for (const ask of this.#asks.values()) {
      this.#forget(ask);
      ask.result.fail(this.closing.reason);
    }
    await Promise.all([this.#trunk.close(), this.#lanes.close()]);
  }
}
