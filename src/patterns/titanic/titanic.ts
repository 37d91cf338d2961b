// The server: three services, and a client that has the requests done.

import type { Frame } from "../../../mod.ts";
import { checkCount, checkTime, refuse } from "../base/checks.ts";
import type { Body } from "../base/octets.ts";
import { Part } from "../base/part.ts";
import { type Cancel, every, now } from "../base/time.ts";
import { MajordomoClient, MajordomoWorker } from "../majordomo/mod.ts";
import { Dispatcher } from "./dispatcher.ts";
import { Entry } from "./entries.ts";
import { FileStore } from "./files.ts";
import type { TitanicEvents, TitanicOptions, TitanicStats } from "./options.ts";
import type { TitanicStore } from "./store.ts";
import { makeUuid, uuidIn } from "./uuid.ts";

const OK = "200";
const PENDING = "300";
const WRONG = "400";
const ERROR = "500";

const NO_UUID = "not one frame with a UUID";
const LONGEST_NAME = 255;
// deno-lint-ignore no-control-regex
const UNPRINTABLE = /[\x00-\x1f\x7f\ufffd]/;

/**
 * Titanic (RFC 9): keeps requests on the disk until they are done, and replies until they are read. It stands beside a
 * Majordomo broker, as a worker for clients and as a client for workers, neither of which have to be there at the same time.
 * `TitanicClient` is for its clients.
 *
 * A request that was answered with 200 is done at least once, whoever is killed, and has one reply at most.
 *
 * @example A request whose worker comes later
 * ```ts
 * import {
 *   MajordomoBroker,
 *   MajordomoWorker,
 *   Titanic,
 *   TitanicClient,
 * } from "@wasmq/wasmq/patterns";
 *
 * const folder = await Deno.makeTempDir();
 * await using broker = new MajordomoBroker();
 * await broker.bind("tcp://127.0.0.1:*");
 * const endpoint = broker.lastEndpoint!;
 * await using titanic = new Titanic({ endpoint, folder, retryInterval: 50 });
 * await titanic.ready();
 *
 * await using client = new TitanicClient({ endpoint });
 * const uuid = await client.submit("echo", "hello");
 * console.log(await client.fetch(uuid)); // undefined: it is pending
 *
 * await using _worker = new MajordomoWorker({
 *   endpoint,
 *   service: "echo",
 *   handler: (frames) => frames,
 * });
 * console.log(String(await client.wait(uuid))); // "hello"
 * await client.discard(uuid);
 * ```
 */
export class Titanic extends Part<TitanicEvents> {
  readonly #options: TitanicOptions;
  readonly #store: TitanicStore;
  readonly #maxRequests: number;
  readonly #maxRequestSize: number;
  readonly #maxReplySize: number;
  readonly #retention: number;
  readonly #lanes: number;
  readonly #client: MajordomoClient;
  readonly #dispatcher: Dispatcher;
  readonly #entries: Map<string, Entry> = new Map();
  readonly #workers: MajordomoWorker[] = [];
  readonly #opening: Promise<void>;
  /** Calls of the store that are under way. */
  readonly #calls: Set<Promise<void>> = new Set();
  #stop: Cancel = () => {};
  #answered = 0;
  readonly #counts = {
    stored: 0,
    replies: 0,
    removed: 0,
    discarded: 0,
    refused: 0,
    malformed: 0,
  };

  /**
   * Makes one, which begins at once.
   *
   * @throws {TypeError} `EINVAL` for an option that cannot be right.
   */
  constructor(options: TitanicOptions) {
    super(options);
    const { endpoint, store, folder, retention = 7 * 24 * 3_600_000 } = options;
    this.#options = options;
    if ((store === undefined) === (folder === undefined)) {
      refuse("store", store ?? folder, "a TitanicStore, or left out with a folder instead");
    }
    this.#store = store ?? new FileStore(folder!);
    this.#maxRequests = checkCount("maxRequests", options.maxRequests ?? 10_000, 1);
    this.#maxRequestSize = checkCount("maxRequestSize", options.maxRequestSize ?? 2 ** 24, 1);
    this.#maxReplySize = checkCount("maxReplySize", options.maxReplySize ?? 2 ** 26, 1);
    if (!(retention > 0)) refuse("retention", retention, "milliseconds, more than 0, or Infinity");
    this.#retention = retention;
    this.#lanes = checkCount("lanes", options.lanes ?? 4, 1);
    const dispatch = {
      concurrency: checkCount("concurrency", options.concurrency ?? 10, 1),
      executionTimeout: checkTime("executionTimeout", options.executionTimeout ?? 60_000),
      retryInterval: checkTime("retryInterval", options.retryInterval ?? 1000),
    };
    const { context, socketOptions } = options;
    this.#client = new MajordomoClient({ endpoint, context, socketOptions });
    this.#dispatcher = new Dispatcher(this.#client, {
      ...dispatch,
      closing: this.closing,
      load: (entry) => this.#load(entry),
      keep: (entry, reply) => this.#keep(entry, reply),
      failed: (error) => this.events.emit("error", { error }),
    });
    this.#opening = this.#open();
    // Who does not wait for it hears of it by the event.
    this.#opening.catch((error) => {
      if (!this.closed) this.events.emit("error", { error });
      void this.close();
    });
  }

  /** Resolves when the store is open and the services are announced. Rejects with what the store failed with. */
  ready(): Promise<void> {
    return this.#opening;
  }

  /** What has been counted. */
  stats(): TitanicStats {
    return {
      ...this.#counts,
      requests: this.#entries.size,
      answered: this.#answered,
      tries: this.#dispatcher.tries,
    };
  }

  async #open(): Promise<void> {
    for (const { uuid, answered } of await this.#store.open()) {
      if (this.closed) return;
      const entry = new Entry(uuid);
      this.#entries.set(uuid, entry);
      if (answered !== undefined) {
        entry.answered = now() - answered;
        this.#answered++;
      } else if (await this.#load(entry) !== undefined) {
        this.#dispatcher.add(entry);
      }
    }
    if (this.closed) return;
    this.#serve("titanic.request", (frames) => this.#submit(frames));
    this.#serve("titanic.reply", (frames) => this.#reply(frames));
    this.#serve("titanic.close", (frames) => this.#close(frames));
    if (this.#retention < Infinity) {
      const step = Math.min(60_000, Math.max(10, this.#retention / 4));
      this.#stop = every(step, () => this.#expire());
    }
    const answered = this.#answered;
    this.events.emit("ready", { pending: this.#entries.size - answered, answered });
  }

  #serve(service: string, handle: (frames: Frame[]) => Promise<Body>): void {
    const { endpoint, context, socketOptions, heartbeatInterval, heartbeatLiveness } =
      this.#options;
    const handler = async (frames: Frame[]): Promise<Body> => {
      try {
        return await handle(frames);
      } catch (error) {
        this.events.emit("error", { error });
        return ERROR;
      }
    };
    for (let lane = 0; lane < this.#lanes; lane++) {
      this.#workers.push(
        new MajordomoWorker({
          endpoint,
          service,
          handler,
          context,
          socketOptions,
          heartbeatInterval,
          heartbeatLiveness,
          reconnectInterval: this.#options.retryInterval,
        }),
      );
    }
  }

  // The services

  async #submit(frames: Frame[]): Promise<Body> {
    const service = serviceIn(frames[0]);
    if (service === undefined || frames.length < 2 || sizeOf(frames) > this.#maxRequestSize) {
      return this.#wrong("titanic.request", "not a service, then a body that is not too long");
    }
    if (this.#entries.size >= this.#maxRequests) {
      this.#counts.refused++;
      return ERROR;
    }
    const entry = new Entry(makeUuid());
    entry.service = service;
    // Before it is stored: there may be others on the way.
    this.#entries.set(entry.uuid, entry);
    try {
      await this.#alone(entry, () => this.#store.putRequest(entry.uuid, frames));
    } catch (error) {
      this.#entries.delete(entry.uuid);
      throw error;
    }
    this.#counts.stored++;
    this.events.emit("stored", { uuid: entry.uuid, service });
    this.#dispatcher.add(entry);
    return [OK, entry.uuid];
  }

  async #reply(frames: Frame[]): Promise<Body> {
    const uuid = uuidIn(frames[0]);
    if (uuid === undefined || frames.length !== 1) return this.#wrong("titanic.reply", NO_UUID);
    const entry = this.#entries.get(uuid);
    if (entry === undefined) return WRONG;
    if (entry.answered === undefined) return PENDING;
    const reply = await this.#alone(entry, () => this.#store.reply(uuid));
    if (reply !== undefined) return [OK, ...reply];
    if (this.#entries.get(uuid) !== entry) return WRONG;
    // The disk has spoilt it: it is done again, once.
    if (entry.answered !== undefined) {
      this.#answered--;
      entry.answered = undefined;
      if (await this.#load(entry) !== undefined) this.#dispatcher.add(entry);
    }
    return this.#entries.has(uuid) ? PENDING : WRONG;
  }

  async #close(frames: Frame[]): Promise<Body> {
    const uuid = uuidIn(frames[0]);
    if (uuid === undefined || frames.length !== 1) return this.#wrong("titanic.close", NO_UUID);
    const entry = this.#entries.get(uuid);
    if (entry !== undefined && await this.#remove(entry)) {
      this.#counts.removed++;
      this.events.emit("removed", { uuid });
    }
    return OK;
  }

  #wrong(service: string, reason: string): Body {
    this.#counts.malformed++;
    this.events.emit("malformed", { service, reason });
    return WRONG;
  }

  // The store

  /** Calls the store, once at a time for each request; `close` waits for it. */
  #alone<T>(entry: Entry, act: () => Promise<T>): Promise<T> {
    const result = entry.alone(act);
    const over = result.then(() => {}, () => {}).then(() => void this.#calls.delete(over));
    this.#calls.add(over);
    return result;
  }

  /** The body of a request that is to be done. */
  async #load(entry: Entry): Promise<Frame[] | undefined> {
    if (this.#entries.get(entry.uuid) !== entry) return undefined;
    const frames = await this.#alone(entry, () => this.#store.request(entry.uuid));
    const service = serviceIn(frames?.[0]);
    if (service === undefined) {
      if (this.#forget(entry)) this.#discarded(entry, "broken request");
      return undefined;
    }
    entry.service = service;
    return frames!.slice(1);
  }

  async #keep(entry: Entry, reply: Frame[]): Promise<void> {
    if (sizeOf(reply) > this.#maxReplySize) {
      if (await this.#remove(entry)) this.#discarded(entry, "long reply");
      return;
    }
    const kept = await this.#alone(entry, async () => {
      // Closed meanwhile: a reply without a request would stay for ever.
      if (this.#entries.get(entry.uuid) !== entry) return false;
      await this.#store.putReply(entry.uuid, reply);
      return true;
    });
    if (!kept || this.#entries.get(entry.uuid) !== entry) return;
    entry.answered = now();
    this.#answered++;
    this.#counts.replies++;
    this.events.emit("answered", { uuid: entry.uuid, service: entry.service });
  }

  /** False when another call has removed it meanwhile. */
  async #remove(entry: Entry): Promise<boolean> {
    await this.#alone(entry, () => this.#store.remove(entry.uuid));
    return this.#forget(entry);
  }

  /** False when it was forgotten before. */
  #forget(entry: Entry): boolean {
    if (this.#entries.get(entry.uuid) !== entry) return false;
    this.#entries.delete(entry.uuid);
    if (entry.answered !== undefined) this.#answered--;
    this.#dispatcher.drop(entry);
    return true;
  }

  #discarded({ uuid }: Entry, reason: TitanicEvents["discarded"]["reason"]): void {
    this.#counts.discarded++;
    this.events.emit("discarded", { uuid, reason });
  }

  #expire(): void {
    const limit = now() - this.#retention;
    for (const entry of this.#entries.values()) {
      if (entry.answered === undefined || entry.answered > limit) continue;
      this.#remove(entry).then(
        (removed) => removed && this.#discarded(entry, "retention"),
        (error) => this.events.emit("error", { error }),
      );
    }
  }

  /** @internal */
  protected async shut(): Promise<void> {
    this.#stop();
    await this.#opening.catch(() => {});
    this.#stop();
    await Promise.all(this.#workers.map((worker) => worker.close()));
    await this.#client.close();
    await this.#dispatcher.close();
    while (this.#calls.size > 0) await Promise.all(this.#calls);
    await this.#store.close();
  }
}

/** The service that a request names. Titanic's own, and the broker's, make no sense here. */
function serviceIn(frame: Frame | undefined): string | undefined {
  if (frame === undefined || frame.length === 0 || frame.length > LONGEST_NAME) return undefined;
  const name = String(frame);
  return UNPRINTABLE.test(name) || /^(?:titanic|mmi)\./.test(name) ? undefined : name;
}

function sizeOf(frames: readonly Frame[]): number {
  return frames.reduce((sum, frame) => sum + frame.length, 0);
}
