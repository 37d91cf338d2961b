// Our sockets for ws_ends.ts. The library is handed in: a page's is another entry than a server's.

import type * as library from "../../mod.ts";
import type { PeerSocketType } from "./peer.ts";
import type { DrivenEvent, DrivenSocket, OpenSocket } from "./ws_ends.ts";

/** An entry of ours. */
export type Library = Pick<typeof library, Exclude<PeerSocketType, "Stream">>;

interface AnySocket {
  linger: number;
  readonly lastEndpoint: string | null;
  readonly events: AsyncIterable<
    { type: string; protocol?: string; error?: Error & { code?: string } }
  >;
  bind(endpoint: string): Promise<void>;
  connect(endpoint: string): void;
  subscribe(topic: Uint8Array): void;
  unsubscribe(topic: Uint8Array): void;
  send(frames: Uint8Array[]): Promise<void>;
  receive(): Promise<Uint8Array[]>;
  close(): Promise<void>;
}

const WAIT_MS = 30_000;
const SILENT: readonly PeerSocketType[] = ["Pull", "Subscriber"];
const DEAF: readonly PeerSocketType[] = ["Push", "Publisher"];

/** How to open sockets of an entry. */
export function openerOf(entry: Library): OpenSocket {
  return (type, options) => {
    const Class = entry[type as keyof Library] as new (options: object) => unknown;
    const socket = new Class({
      ...(!SILENT.includes(type) && { sendTimeout: WAIT_MS }),
      ...(!DEAF.includes(type) && { receiveTimeout: WAIT_MS }),
      reconnectInterval: 50,
      ...options,
    });
    return new OurSocket(socket as AnySocket, type === "XSubscriber");
  };
}

class OurSocket implements DrivenSocket {
  readonly #socket: AnySocket;
  readonly #isRaw: boolean;
  readonly #events: (DrivenEvent & { readonly message: string | undefined })[] = [];

  constructor(socket: AnySocket, isRaw: boolean) {
    this.#socket = socket;
    this.#isRaw = isRaw;
    void this.#listen();
  }

  async bind(endpoint: string): Promise<string> {
    await this.#socket.bind(endpoint);
    return this.#socket.lastEndpoint!;
  }

  connect(endpoint: string): void {
    this.#socket.connect(endpoint);
  }

  send(frames: Uint8Array[]): Promise<void> {
    return this.#socket.send(frames).catch(this.#explain);
  }

  receive(): Promise<Uint8Array[]> {
    return this.#socket.receive().catch(this.#explain);
  }

  async request(first: 0 | 1, topic: Uint8Array): Promise<void> {
    if (this.#isRaw) await this.#socket.send([Uint8Array.of(first, ...topic)]);
    else if (first === 1) this.#socket.subscribe(topic);
    else this.#socket.unsubscribe(topic);
  }

  eventLog(): readonly DrivenEvent[] {
    return this.#events;
  }

  close(): Promise<void> {
    this.#socket.linger = 0;
    return this.#socket.close();
  }

  async #listen(): Promise<void> {
    for await (const { type, protocol, error } of this.#socket.events) {
      this.#events.push({ type, protocol, code: error?.code, message: error?.message });
    }
  }

  /** A time-out by itself does not tell what went wrong on the way. */
  readonly #explain = (error: Error): never => {
    error.message += `; its events: ${JSON.stringify(this.#events)}`;
    throw error;
  };
}
