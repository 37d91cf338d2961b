// The endpoints of one socket: where it is bound, where it is connected, and those that are still sending their last.

import {
  type Endpoint,
  type EndpointUse,
  formatHostPort,
  type InprocEndpoint,
  parseEndpoint,
} from "../endpoint.ts";
import { EndpointError } from "../errors.ts";
import { asError } from "../events.ts";
import type { SocketType } from "../wire/socket_type.ts";
import type { Acceptor } from "./acceptor.ts";
import { Dialer } from "./dialer.ts";
import type { LinkHost } from "./host.ts";
import { InprocBinding, InprocConnection } from "./inproc.ts";
import type { Guests } from "./guests.ts";
import { filesOf } from "./listening.ts";
import { networkOf } from "./network.ts";
import type { ByteStream } from "./stream.ts";

/** Something to connect or to bind. */
type Connecting = Dialer | InprocConnection;
type Binding = Acceptor | InprocBinding;

/** Options that no runtime can honour, with the values that ask for nothing. */
const IMPOSSIBLE = {
  tcpKeepaliveCount: -1,
  tcpKeepaliveInterval: -1,
  tcpMaxRetransmitTimeout: 0,
  interface: null,
} as const;

/** As in libzmq, these have one connection to an endpoint; other types have one for each connect. */
const CONNECTED_ONCE: readonly SocketType[] = ["DEALER", "REQ", "PUB", "SUB"];

export class Endpoints {
  readonly #host: LinkHost;
  readonly #emptied: () => void;
  /** By their text; what is bound stands under its resolved text. */
  readonly #dialers: Map<string, Connecting> = new Map();
  readonly #acceptors: Map<string, Binding> = new Map();
  /** Taken out of use, with messages on their way. */
  readonly #leaving: Set<Connecting | Binding> = new Set();
  /** Peers whose connections were made elsewhere. */
  #guests: Guests | undefined;
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
    try {
      if (endpoint.transport === "inproc") return this.#bindInproc(endpoint);
      const acceptor = this.#newAcceptor();
      await acceptor.listen(endpoint);
      const kept = this.#keep(acceptor);
      if (!kept) await acceptor.finish();
      return kept;
    } catch (error) {
      this.#tellFailure(text, error);
      throw error;
    }
  }

  /** Listens, within the call. */
  bindSync(text: string): void {
    const endpoint = this.#parse(text, "bind");
    try {
      if (endpoint.transport === "inproc") {
        this.#bindInproc(endpoint);
      } else {
        const acceptor = this.#newAcceptor();
        acceptor.listenSync(endpoint);
        this.#keep(acceptor);
      }
    } catch (error) {
      this.#tellFailure(text, error);
      throw error;
    }
  }

  #tellFailure(address: string, error: unknown): void {
    this.#host.monitor.emit({ type: "bind:error", address, error: asError(error) });
  }

  #newAcceptor(): Acceptor {
    const { acceptor: make } = networkOf(this.#host.around);
    const acceptor: Acceptor = make(this.#host, () => this.#left(acceptor));
    return acceptor;
  }

  #bindInproc(endpoint: InprocEndpoint): boolean {
    const binding: InprocBinding = new InprocBinding(
      this.#host,
      endpoint,
      () => this.#left(binding),
    );
    binding.listen();
    return this.#keep(binding);
  }

  #keep(binding: Binding): boolean {
    if (this.#finishing) {
      binding.close();
      return false;
    }
    this.#acceptors.set(binding.endpoint, binding);
    this.last = binding.endpoint;
    return true;
  }

  /** Serves a connection that was made elsewhere; resolves when it is closed. */
  accept(stream: ByteStream, path?: string): Promise<void> {
    const network = networkOf(this.#host.around);
    const guests = this.#guests ??= network.guests(this.#host, () => this.#check());
    const side = path === undefined ? undefined : network.serverSide(path, this.#host.options);
    const endpoint = addressOf(stream, side !== undefined || "introduce" in stream);
    const security = this.#host.secure();
    return new Promise((resolve) => guests.receive(stream, { endpoint, security, side }, resolve));
  }

  connect(text: string, assignedId: Uint8Array | undefined): void {
    const endpoint = this.#parse(text, "connect");
    let key = text;
    if (this.#dialers.has(text)) {
      if (endpoint.transport !== "inproc" && CONNECTED_ONCE.includes(this.#host.type)) return;
      for (let i = 2; this.#dialers.has(key); i++) key = `${text}#${i}`;
    }
    const done = () => {
      if (this.#dialers.get(key) === dialer) this.#dialers.delete(key);
      this.#left(dialer);
    };
    const dialer: Connecting = endpoint.transport === "inproc"
      ? new InprocConnection(this.#host, endpoint, assignedId, done)
      : new Dialer(this.#host, endpoint, assignedId, done);
    // It may be over before `start` returns.
    this.#dialers.set(key, dialer);
    const refusal = dialer.start();
    if (refusal !== undefined) {
      this.#dialers.delete(key);
      throw refusal;
    }
    this.last = text;
  }

  /** Stops listening and lets its peers go; the promise is for the address to be free. */
  async unbind(text: string): Promise<void> {
    await this.unbindSync(text);
  }

  /** As `unbind`; on some runtimes the address is free only when the answer resolves. */
  unbindSync(text: string): Promise<void> {
    const acceptor = this.#acceptors.get(text);
    if (acceptor === undefined) throw noSuchEndpoint(text, "unbind", this.#acceptors);
    this.#acceptors.delete(text);
    this.#leave(acceptor);
    return acceptor.finish();
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
    this.#guests?.finish();
    this.#check();
  }

  /** Ends all of them now. */
  close(): void {
    this.finish();
    for (const endpoint of [...this.#leaving]) endpoint.close();
    this.#guests?.close();
  }

  /** Gives what was taken out of use as long as `linger` says. */
  #leave(endpoint: Connecting | Binding): void {
    this.#leaving.add(endpoint);
    const { linger } = this.#host.options;
    if (linger > 0) this.#host.around.clock.after(linger, () => endpoint.close());
    else if (linger === 0) this.#host.around.turns.once(() => endpoint.close());
  }

  #left(endpoint: Connecting | Binding): void {
    this.#leaving.delete(endpoint);
    this.#check();
  }

  #check(): void {
    if (this.#finishing && this.#leaving.size === 0 && !this.#guests?.size) this.#emptied();
  }

  /** Reads an endpoint, and refuses by name what the socket type or the runtime cannot do. */
  #parse(text: string, use: EndpointUse): Endpoint {
    const endpoint = parseEndpoint(text, use);
    const { options, around: { runtime }, type } = this.#host;
    const cannot = (code: string, why: string) =>
      new EndpointError(code, `Cannot ${use} ${JSON.stringify(text)}${why}`, { address: text });
    if (type === "STREAM" && endpoint.transport !== "tcp" && endpoint.transport !== "ipc") {
      throw cannot(
        "ENOCOMPATPROTO",
        ": a Stream talks to programs without ZeroMQ; use tcp or ipc",
      );
    }
    const why = runtime.refuse?.(endpoint, use, options);
    if (why !== undefined) throw cannot("ENOTSUP", `: ${runtime.name} ${why}`);
    if (endpoint.transport === "wss" && runtime.tls === undefined && !runtime.webSocket) {
      throw cannot("ENOTSUP", `: ${runtime.name} has no TLS here; use ws with CURVE`);
    }
    if (endpoint.transport === "ipc") filesOf(endpoint, runtime, use);
    for (const [name, harmless] of Object.entries(IMPOSSIBLE)) {
      if (options[name as keyof typeof IMPOSSIBLE] === harmless) continue;
      throw cannot(
        "ENOTSUP",
        ` with ${name}: ${runtime.name} cannot set it; leave it at ${harmless}`,
      );
    }
    return endpoint;
  }
}

/** What stands for an endpoint where there is none: the address of this side, as far as it is known. */
function addressOf({ local }: ByteStream, webSocket: boolean): string {
  const known = "host" in local && local.host !== "" ? formatHostPort(local) : "*";
  return `${webSocket ? "ws" : "tcp"}://${known}`;
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
