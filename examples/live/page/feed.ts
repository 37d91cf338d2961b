// The SUB of the page: figures of the topics that are wanted.

import { Subscriber } from "../../../browser.ts";
import type { Figures } from "../topics.ts";

/** What both sockets of the page have: they try again soon and often, and take no endless messages. */
export const SOCKET_OPTIONS = {
  reconnectInterval: 250,
  reconnectMaxInterval: 4_000,
  connectTimeout: 5_000,
  handshakeInterval: 5_000,
  maxMessageSize: 4_000_000,
} as const;

/** How the connection is. */
export type Link =
  | { readonly state: "connecting" }
  | { readonly state: "live"; readonly protocol: string }
  | { readonly state: "away"; readonly attempt: number; readonly interval: number };

export interface FeedEvents {
  link(link: Link): void;
  figures(topic: string, figures: Figures, octets: number): void;
}

export class Feed {
  readonly #endpoint: string;
  readonly #events: FeedEvents;
  readonly #socket = new Subscriber(SOCKET_OPTIONS);
  #attempt = 0;

  constructor(endpoint: string, events: FeedEvents) {
    this.#endpoint = endpoint;
    this.#events = events;
    this.#socket.events.on("handshake", ({ protocol }) => {
      this.#attempt = 0;
      events.link({ state: "live", protocol });
    });
    this.#socket.events.on("connect:retry", ({ interval }) => {
      events.link({ state: "away", attempt: ++this.#attempt, interval });
    });
    this.#socket.connect(endpoint);
    this.#receive();
  }

  subscribe(topic: string): void {
    this.#socket.subscribe(topic);
  }

  unsubscribe(topic: string): void {
    this.#socket.unsubscribe(topic);
  }

  /** Gives up a connection that says nothing any more, and makes another. */
  redial(): void {
    this.#events.link({ state: "connecting" });
    this.#socket.disconnect(this.#endpoint);
    this.#socket.connect(this.#endpoint);
  }

  async #receive(): Promise<void> {
    for await (const [topic, json] of this.#socket) {
      this.#events.figures(String(topic), JSON.parse(String(json)), topic.length + json.length);
    }
  }
}
