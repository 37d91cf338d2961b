// What stands between the parts and the pages: figures go from all parts to all pages, commands from any page to the
// part that it names and back.

import { Publisher, Router, type Socket, Subscriber, type ZmqError } from "../../mod.ts";
import { Archive } from "./archive.ts";
import type { HubEndpoints } from "./part.ts";
import type { PageFigures } from "./topics.ts";

/** The longest frame that a page may send. */
const LONGEST_COMMAND = 4_096;
/** Topics that a page may subscribe to. */
const MOST_TOPICS = 32;
/** What sockets for pages have: a page that is silent for so many milliseconds is asked whether it is there. */
const GUARD = {
  origins: [],
  linger: 0,
  maxMessageSize: LONGEST_COMMAND,
  heartbeatInterval: 5_000,
};

export class Hub {
  /** What the parts say. */
  readonly archive: Archive = new Archive();
  readonly #collected = new Subscriber();
  readonly #parts = new Router({ mandatory: true, sendTimeout: 0 });
  readonly #figures = new Publisher({
    ...GUARD,
    maxTopicLength: 64,
    maxSubscriptions: MOST_TOPICS,
  });
  readonly #commands = new Router(GUARD);
  #last = { messagesOut: 0, bytesOut: 0, at: performance.now() };

  /** The sockets for pages, by the path that they connect to. */
  readonly sockets: ReadonlyMap<string, Socket> = new Map<string, Socket>([
    ["/figures", this.#figures],
    ["/commands", this.#commands],
  ]);

  /** Lets in the pages of these origins, and no others. */
  admit(origins: readonly string[]): void {
    for (const socket of this.sockets.values()) socket.origins = origins;
  }

  /** Listens for the parts, and begins to pass on. */
  async start(): Promise<HubEndpoints> {
    await this.#collected.bind("tcp://127.0.0.1:*");
    await this.#parts.bind("tcp://127.0.0.1:*");
    this.#collected.subscribe();
    this.#publish();
    this.#ask();
    this.#answer();
    return { figures: this.#collected.lastEndpoint!, commands: this.#parts.lastEndpoint! };
  }

  /** The figures of the pages' connections since the last call. */
  pages(): Omit<PageFigures, "at"> {
    const { messagesOut, bytesOut, peers } = this.#figures.stats();
    const at = performance.now();
    const last = this.#last;
    this.#last = { messagesOut, bytesOut, at };
    return {
      ms: at - last.at,
      pages: peers.filter((peer) => peer.connected).length,
      messages: messagesOut - last.messagesOut,
      octets: bytesOut - last.bytesOut,
    };
  }

  async #publish(): Promise<void> {
    for await (const [topic, json] of this.#collected) {
      this.archive.keep(String(topic), String(json));
      await this.#figures.send([topic, json]);
    }
  }

  async #ask(): Promise<void> {
    for await (const [page, part, number, command, ...rest] of this.#commands) {
      if (command === undefined || rest.length > 0) continue; // no page of ours
      try {
        await this.#parts.send([part, page, number, command]);
      } catch (error) {
        const { code } = error as ZmqError;
        const reason = code === "EHOSTUNREACH" ? "is not there" : "has too much to do";
        const answer = JSON.stringify({ error: `The part ${String(part)} ${reason}` });
        await this.#commands.send([page, part, number, answer]);
      }
    }
  }

  async #answer(): Promise<void> {
    for await (const [part, page, number, answer] of this.#parts) {
      await this.#commands.send([page, part, number, answer]);
    }
  }
}
