// The open sockets of one context, and the settings they have in common. Sockets that nobody holds any more do not count.

import { ZmqError } from "../errors.ts";
import { type ContextSettings, DEFAULT_SETTINGS } from "./context_settings.ts";

/** A socket, as its context sees it. */
export interface OpenSocket {
  /** Closes the socket because its context is terminated. */
  terminate(): Promise<void>;
}

export class Sockets {
  readonly settings: ContextSettings;
  readonly #open: Set<WeakRef<OpenSocket>> = new Set();
  readonly #references: WeakMap<OpenSocket, WeakRef<OpenSocket>> = new WeakMap();

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
    if (this.#open.size >= maxSockets) this.#forgetLost();
    if (this.#open.size >= maxSockets) {
      throw new ZmqError(
        "EMFILE",
        `Too many open sockets: the context has ${maxSockets}; close some, or set its maxSockets`,
      );
    }
    const reference = new WeakRef(socket);
    this.#references.set(socket, reference);
    this.#open.add(reference);
  }

  delete(socket: OpenSocket): void {
    this.#open.delete(this.#references.get(socket)!);
  }

  #forgetLost(): void {
    for (const reference of this.#open) {
      if (reference.deref() === undefined) this.#open.delete(reference);
    }
  }

  async terminate(): Promise<void> {
    await Promise.all(Array.from(this.#open, (reference) => reference.deref()?.terminate()));
  }
}
