// The open sockets of one context, and the settings they have in common.

import { ZmqError } from "../errors.ts";
import { type ContextSettings, DEFAULT_SETTINGS } from "./context_settings.ts";

/** A socket, as its context sees it. */
export interface OpenSocket {
  /** Closes the socket because its context is terminated. */
  terminate(): Promise<void>;
}

export class Sockets {
  readonly settings: ContextSettings;
  readonly #open: Set<OpenSocket> = new Set();

  constructor(settings: ContextSettings) {
    this.settings = settings;
  }

  /** Frames have a limit of the context's own. */
  get limited(): boolean {
    return this.settings.maxMessageSize !== DEFAULT_SETTINGS.maxMessageSize;
  }

  /** @throws {ZmqError} `EMFILE` when there are as many as there may be. */
  add(socket: OpenSocket): void {
    const { maxSockets } = this.settings;
    if (this.#open.size >= maxSockets) {
      throw new ZmqError(
        "EMFILE",
        `Too many open sockets: the context has ${maxSockets}; close some, or set its maxSockets`,
      );
    }
    this.#open.add(socket);
  }

  delete(socket: OpenSocket): void {
    this.#open.delete(socket);
  }

  async terminate(): Promise<void> {
    await Promise.all(Array.from(this.#open, (socket) => socket.terminate()));
  }
}
