// The broker of Majordomo: one ROUTER for clients and workers of both versions.

import { type Frame, Router } from "../../../mod.ts";
import { Part, socketSettings } from "../base/part.ts";
import { brokerSettings } from "./broker_options.ts";
import type {
  MajordomoBrokerEvents,
  MajordomoBrokerOptions,
  MajordomoBrokerStats,
} from "./broker_options.ts";
import { Dispatcher } from "./dispatcher.ts";
import { drain } from "../base/drain.ts";
import {
  CLIENT_REQUEST,
  commandOf,
  type Dialect,
  dialectOfHeader,
  DISCONNECT,
  FINAL,
  FIRST,
  headerAt,
  HEARTBEAT,
  isName,
  isOfClient,
  PARTIAL,
  READY,
} from "./protocol.ts";
import { Ticker } from "../base/ticker.ts";

/** How long `close` waits for the DISCONNECTs, in milliseconds. */
const LINGER = 1000;
/** So many steps of time in an interval of heartbeats. */
const STEPS = 4;

/**
 * Brings requests to workers by the name of their service, and replies back: the broker of the Majordomo Protocol, for
 * clients and workers of MDP 0.1 (RFC 7) and 0.2 (RFC 18) alike, at the same endpoints. Chapter 4 of the guide.
 *
 * It answers `mmi.service` (RFC 8) itself. A worker that is silent for too long is given up, and what it had goes to
 * another, so a request may be worked on more than once. All is in memory: what waits is lost with the broker, and clients
 * ask again.
 *
 * @example A service, and somebody who uses it
 * ```ts
 * import { MajordomoBroker, MajordomoClient, MajordomoWorker } from "@wasmq/wasmq/patterns";
 *
 * await using broker = new MajordomoBroker();
 * await broker.bind("tcp://127.0.0.1:*");
 * const endpoint = broker.lastEndpoint!;
 *
 * await using worker = new MajordomoWorker({
 *   endpoint,
 *   service: "upper",
 *   handler: ([text]) => text.toString().toUpperCase(),
 * });
 * await using client = new MajordomoClient({ endpoint });
 * const [reply] = await client.request("upper", "hello");
 * console.log(`${reply}`); // "HELLO"
 * ```
 */
export class MajordomoBroker extends Part<MajordomoBrokerEvents> {
  readonly #socket: Router;
  readonly #dispatcher: Dispatcher;
  readonly #ticker: Ticker;

  /**
   * Makes a broker; `bind` lets peers come.
   *
   * @throws {TypeError} `EINVAL` for options that make no sense.
   */
  constructor(options: MajordomoBrokerOptions = {}) {
    super(options);
    const settings = brokerSettings(options);
    this.#socket = new Router({
      linger: LINGER,
      ...socketSettings(options, { mandatory: true, attachMetadata: false }),
    });
    this.#dispatcher = new Dispatcher(settings, this.events, this.#post);
    const step = Math.min(settings.beats.interval / STEPS, settings.requestTimeout);
    this.#ticker = new Ticker(step, (time) => this.#dispatcher.tick(time)).start();
    drain(this.#socket, (message) => this.#take(message)).catch((error) =>
      this.events.emit("error", { error })
    );
  }

  /**
   * Lets clients and workers connect to an endpoint, as `Socket.bind`. May be called several times.
   *
   * @throws {EndpointError} Rejects as `Socket.bind` does.
   */
  bind(endpoint: string): Promise<void> {
    return this.#socket.bind(endpoint);
  }

  /** The endpoint of the last `bind`, with wildcards resolved. */
  get lastEndpoint(): string | null {
    return this.#socket.lastEndpoint;
  }

  /** Its figures, as they are now. */
  stats(): MajordomoBrokerStats {
    return this.#dispatcher.stats();
  }

  readonly #post = (message: Uint8Array[]): boolean | undefined => {
    try {
      return this.#socket.trySend(message) || undefined;
    } catch {
      // EHOSTUNREACH: the peer is gone. Anything else is a message that cannot be sent to it, which is as bad.
      return false;
    }
  };

  #take(message: Frame[]): void {
    const at = headerAt(message);
    if (at === 0) {
      return this.#dispatcher.malformed(message[0], "a message without a header of MDP");
    }
    const header = message[at];
    const dialect = dialectOfHeader(header);
    if (isOfClient(header)) this.#takeRequest(message, at, dialect);
    else this.#takeCommand(message, at, dialect);
  }

  #takeRequest(message: Frame[], at: number, dialect: Dialect): void {
    const first = dialect === FIRST;
    const nameAt = first ? at + 1 : at + 2;
    const hops = first ? at - 1 : at;
    if (!first && (message[at + 1]?.length !== 1 || message[at + 1][0] !== CLIENT_REQUEST)) {
      this.#dispatcher.malformed(message[0], "not a command of a client");
    } else if (nameAt + 1 >= message.length || !isName(message[nameAt])) {
      this.#dispatcher.malformed(message[0], "a request without a service or a body");
    } else {
      this.#dispatcher.request(message, hops, nameAt + 1, dialect);
    }
  }

  #takeCommand(message: Frame[], at: number, dialect: Dialect): void {
    const dispatcher = this.#dispatcher;
    const id = message[0];
    const worker = dispatcher.worker(id);
    const command = at === dialect.worker.length && at + 1 < message.length
      ? commandOf(dialect, message[at + 1])
      : 0;
    const rest = at + 2;
    const frames = message.length - rest;
    if (!isComplete(message, rest, command)) {
      // Who speaks like that is not trusted with requests.
      if (worker === undefined) dispatcher.malformed(id, "not a command of a worker");
      else dispatcher.unexpected(id, worker, dialect, "not a command of a worker");
    } else if (command === DISCONNECT) {
      if (worker !== undefined) dispatcher.lose(worker, "disconnect");
    } else if (worker === undefined) {
      if (command === READY) dispatcher.register(id, message[rest], dialect);
      else dispatcher.unexpected(id, worker, dialect, "a command before READY");
    } else if (worker.dialect !== dialect || command === READY) {
      dispatcher.unexpected(id, worker, dialect, "a second READY, or another version");
    } else {
      worker.heard = dispatcher.time;
      if (frames === 0) {
        dispatcher.freed(worker);
      } else if (!dispatcher.reply(worker, message, rest, command === FINAL)) {
        dispatcher.unexpected(id, worker, dialect, "a reply to a request that it does not have");
      }
    }
  }

  /** @internal */
  protected override shut(): Promise<void> {
    this.#ticker.stop();
    this.#dispatcher.dismissAll();
    return this.#socket.close();
  }
}

/** True when a command has the frames that it must have. A worker does not say REQUEST. */
function isComplete(message: Frame[], rest: number, command: number): boolean {
  const frames = message.length - rest;
  switch (command) {
    case READY:
      return frames === 1 && isName(message[rest]);
    case PARTIAL:
    case FINAL:
      return frames >= 3 && message[rest].length > 0 && message[rest + 1].length === 0;
    case HEARTBEAT:
    case DISCONNECT:
      return frames === 0;
    default:
      return false;
  }
}
