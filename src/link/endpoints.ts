// The endpoints of one socket: where it is bound, where it is connected, and those that are still sending their last.

import { type Endpoint, parseEndpoint } from "../endpoint.ts";
import { EndpointError } from "../errors.ts";
import type { SocketType } from "../wire/socket_type.ts";
import { Acceptor } from "./acceptor.ts";
import { Dialer } from "./dialer.ts";
import type { LinkHost } from "./host.ts";

/** As in libzmq, these have one connection to an endpoint; other types have one for each connect. */
const CONNECTED_ONCE: readonly SocketType[] = ["DEALER", "REQ", "PUB", "SUB"];

export class Endpoints {
  readonly #host: LinkHost;
  readonly #emptied: () => void;
  /** By their text; what is bound stands under its resolved text. */
  readonly #dialers: Map<string, Dialer> = new Map();
  readonly #acceptors: Map<string, Acceptor> = new Map();
  /** Taken out of use, with messages on their way. */
  readonly #leaving: Set<Dialer | Acceptor> = new Set();
  #finishing = false;
  /** The last that was bound or connected. */
  last: string | null = null;

  /** `emptied` is called when everything has ended after `finish`. */
  constructor(host: LinkHost, emptied: () => void) {
    this.#host = host;
    this.#emptied = emptied;
  }

  /** How many are in use. */
  get size(): number {
    return this.#dialers.size + this.#acceptors.size;
  }

  /** Listens; false when the socket was closed meanwhile. */
  async bind(text: string): Promise<boolean> {
    const endpoint = this.#parse(text, "bind");
    const acceptor: Acceptor = new Acceptor(this.#host, () => this.#left(acceptor));
    await acceptor.listen(endpoint);
    if (this.#finishing) {
      acceptor.close();
      return false;
    }
    this.#acceptors.set(acceptor.endpoint, acceptor);
    this.last = acceptor.endpoint;
    return true;
  }

  connect(text: string, assignedId: Uint8Array | undefined): void {
    const endpoint = this.#parse(text, "connect");
    let key = text;
    if (this.#dialers.has(text)) {
      if (CONNECTED_ONCE.includes(this.#host.type)) return;
      for (let i = 2; this.#dialers.has(key); i++) key = `${text}#${i}`;
    }
    const dialer: Dialer = new Dialer(this.#host, endpoint, assignedId, () => {
      if (this.#dialers.get(key) === dialer) this.#dialers.delete(key);
      this.#left(dialer);
    });
    const refusal = dialer.start();
    if (refusal !== undefined) throw refusal;
    this.#dialers.set(key, dialer);
    this.last = text;
  }

  /** Stops listening and lets its peers go; the promise is for the address to be free. */
  async unbind(text: string): Promise<void> {
    const acceptor = this.#acceptors.get(text);
    if (acceptor === undefined) throw noSuchEndpoint(text, "unbind", this.#acceptors);
    this.#acceptors.delete(text);
    this.#leave(acceptor);
    await acceptor.finish();
  }

  disconnect(text: string): void {
    const dialer = this.#dialers.get(text);
    if (dialer === undefined) throw noSuchEndpoint(text, "disconnect", this.#dialers);
    this.#dialers.delete(text);
    this.#leave(dialer);
    dialer.finish(false);
  }

  /** Ends all of them as soon as what waits for their peers is sent. */
  finish(): void {
    this.#finishing = true;
    const dialers = [...this.#dialers.values()];
    const acceptors = [...this.#acceptors.values()];
    this.#dialers.clear();
    this.#acceptors.clear();
    for (const endpoint of [...dialers, ...acceptors]) this.#leaving.add(endpoint);
    for (const dialer of dialers) dialer.finish(true);
    for (const acceptor of acceptors) void acceptor.finish();
    if (this.#leaving.size === 0) this.#emptied();
  }

  /** Ends all of them now. */
  close(): void {
    this.finish();
    for (const endpoint of [...this.#leaving]) endpoint.close();
  }

  /** Gives what was taken out of use as long as `linger` says. */
  #leave(endpoint: Dialer | Acceptor): void {
    this.#leaving.add(endpoint);
    const { linger } = this.#host.options;
    if (linger > 0) this.#host.around.clock.after(linger, () => endpoint.close());
    else if (linger === 0) this.#host.around.turns.once(() => endpoint.close());
  }

  #left(endpoint: Dialer | Acceptor): void {
    this.#leaving.delete(endpoint);
    if (this.#finishing && this.#leaving.size === 0) this.#emptied();
  }

  /** Reads an endpoint, and refuses by name the options that the runtime cannot honour. */
  #parse(text: string, use: "bind" | "connect"): Endpoint {
    const endpoint = parseEndpoint(text, use);
    const { options, around } = this.#host;
    for (const name of ["tcpKeepaliveCount", "tcpKeepaliveInterval"] as const) {
      if (options[name] < 0) continue;
      throw new EndpointError(
        "ENOTSUP",
        `Cannot ${use} ${
          JSON.stringify(text)
        } with ${name}: ${around.runtime.name} cannot set it; leave it at -1`,
        { address: text },
      );
    }
    return endpoint;
  }
}

function noSuchEndpoint(
  text: string,
  use: string,
  known: ReadonlyMap<string, unknown>,
): EndpointError {
  const hint = known.size === 0 ? "there is none" : `there is ${[...known.keys()].join(", ")}`;
  return new EndpointError(
    "ENOENT",
    `No such endpoint: cannot ${use} ${JSON.stringify(text)}; ${hint}`,
    {
      address: text,
    },
  );
}
