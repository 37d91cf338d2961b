// Requests and replies of Majordomo without matching, as the guide's second client API.

import { Dealer, type Frame } from "../../../mod.ts";
import { checkName } from "../base/checks.ts";
import { type Body, framesOf } from "../base/octets.ts";
import { Part, type PartOptions, socketSettings } from "../base/part.ts";
import { Names } from "./ask.ts";
import { readReply } from "./line.ts";
import { type Dialect, dialectOf, EMPTY, type MajordomoVersion } from "./protocol.ts";

/** Options of a `MajordomoPipeline`. */
export interface MajordomoPipelineOptions extends PartOptions {
  /** Where the broker is. */
  readonly endpoint: string;
  /**
   * What is spoken: `"0.1"` with any broker, `"0.2"` for replies in parts.
   * @default {"0.1"}
   */
  readonly version?: MajordomoVersion | undefined;
}

/** A reply, or a part of one. */
export interface MajordomoReply {
  /** The service that it is of. */
  readonly service: string;
  /** Its frames. */
  readonly body: Frame[];
  /** False when further parts will come. */
  readonly final: boolean;
}

/** What happens to a `MajordomoPipeline`. */
export interface MajordomoPipelineEvents {
  /** The broker sent what is no reply. */
  malformed: { readonly reason: string };
}

/**
 * Sends requests and receives replies, apart from each other: it is up to the program to know what a reply belongs to, and
 * to ask again when none comes. Replies come in the order in which workers have them. `mdcliapi2` of the guide.
 *
 * @example Ten requests, then their replies
 * ```ts
 * import { MajordomoBroker, MajordomoPipeline, MajordomoWorker } from "@wasmq/wasmq/patterns";
 *
 * await using broker = new MajordomoBroker();
 * await broker.bind("tcp://127.0.0.1:*");
 * const endpoint = broker.lastEndpoint!;
 * await using worker = new MajordomoWorker({ endpoint, service: "echo", handler: (body) => body });
 *
 * await using pipeline = new MajordomoPipeline({ endpoint });
 * for (let i = 0; i < 10; i++) await pipeline.send("echo", `${i}`);
 * for (let i = 0; i < 10; i++) {
 *   const { body } = await pipeline.receive();
 *   console.log(`${body}`); // "0" to "9": there is one worker
 * }
 * ```
 */
export class MajordomoPipeline extends Part<MajordomoPipelineEvents> {
  readonly #socket: Dealer;
  readonly #dialect: Dialect;
  readonly #names: Names = new Names();
  readonly #counts = { sent: 0, received: 0, malformed: 0 };

  /**
   * Makes a pipeline and connects it.
   *
   * @throws {TypeError} `EINVAL` for options that make no sense.
   * @throws {EndpointError} As `Socket.connect` does.
   */
  constructor(options: MajordomoPipelineOptions) {
    super(options);
    this.#dialect = dialectOf(options.version);
    this.#socket = new Dealer({ linger: 1000, ...socketSettings(options, {}) });
    this.#socket.connect(options.endpoint);
  }

  /** Sends a request; resolves when it is queued for the broker. Rejects as `Writable.send` does. */
  send(service: string, body: Body, options?: { readonly signal?: AbortSignal }): Promise<void> {
    const name = this.#names.of(service) ?? this.#names.add(checkName("service", service));
    const frames = framesOf(body);
    this.#counts.sent++;
    const message = [...this.#dialect.request, name, ...(frames.length === 0 ? [EMPTY] : frames)];
    return this.#socket.send(message, options);
  }

  /** The next reply, whatever it belongs to. Rejects as `Readable.receive` does. */
  async receive(options?: { readonly signal?: AbortSignal }): Promise<MajordomoReply> {
    for (;;) {
      const message = await this.#socket.receive(options);
      const head = readReply(this.#dialect, message, 0);
      if (head === undefined) {
        this.#counts.malformed++;
        this.events.emit("malformed", { reason: "not a reply" });
        continue;
      }
      this.#counts.received++;
      const { final, name, bodyAt } = head;
      return { service: (name as Frame).toString(), body: message.slice(bodyAt), final };
    }
  }

  /** Counts of messages: sent, received, and those that were no reply. */
  stats(): { readonly sent: number; readonly received: number; readonly malformed: number } {
    return { ...this.#counts };
  }

  /** @internal */
  protected override shut(): Promise<void> {
    return this.#socket.close();
  }
}
