// The binding side of one endpoint: listens, and gives each peer that finishes its handshake a pipe of its own.

import { type Endpoint, formatEndpoint } from "../endpoint.ts";
import { codeOf, EndpointError, textOf, type ZmqError } from "../errors.ts";
import { Pipe } from "../routing/pipe.ts";
import type { PeerIdentity } from "../session/session.ts";
import type { LinkHost } from "./host.ts";
import { Link, type LinkOwner } from "./link.ts";
import { resolveLocal } from "./names.ts";
import type { ByteStream, Listener } from "./stream.ts";

export class Acceptor implements LinkOwner {
  readonly #host: LinkHost;
  readonly #done: () => void;
  readonly #links: Map<Link, Pipe | undefined> = new Map();
  #listener: Listener | undefined;
  #listening: Promise<void> | undefined;
  #finishing = false;
  /** The listener has ended. */
  #free = false;
  #closed = false;

  /** `done` is called once, when the listener and all its links have ended. */
  constructor(host: LinkHost, done: () => void) {
    this.#host = host;
    this.#done = done;
  }

  /**
   * Starts to listen.
   *
   * @throws {EndpointError} With the code of the system: `EADDRINUSE`, `EADDRNOTAVAIL`, `EACCES` …
   */
  async listen(endpoint: Endpoint): Promise<void> {
    const { options, around: { runtime } } = this.#host;
    const host = await resolveLocal(endpoint, endpoint.host, runtime, options.ipv6);
    try {
      this.#listener = await runtime.listen({ host, port: endpoint.port }, options, this.#accepted);
    } catch (cause) {
      throw cannotListen(endpoint, cause);
    }
  }

  /** The endpoint that peers can connect to. */
  get endpoint(): string {
    const { host, port } = this.#listener!.local;
    return formatEndpoint(host, port);
  }

  #accepted = (stream: ByteStream): void => {
    if (this.#finishing) return stream.abort();
    const link = new Link(this.#host, this, stream);
    this.#links.set(link, undefined);
    link.start();
  };

  ready(link: Link, peer: PeerIdentity): Pipe | ZmqError {
    const { options, around } = this.#host;
    const pipe = new Pipe(around.memory.outboxes, options, this.#host.hold, link.address);
    const refusal = this.#host.identify(pipe, peer.routingId) ?? this.#host.attach(pipe);
    if (refusal !== undefined) {
      pipe.dispose();
      return refusal;
    }
    this.#links.set(link, pipe);
    return pipe;
  }

  ended(link: Link): void {
    const pipe = this.#links.get(link);
    this.#links.delete(link);
    if (pipe !== undefined) {
      this.#host.detach(pipe);
      this.#host.returned(pipe.dispose());
    }
    this.#check();
  }

  /** Stops listening. The promise is for the listener alone; its links go on until they are sent empty. */
  finish(): Promise<void> {
    if (this.#listening !== undefined) return this.#listening;
    this.#finishing = true;
    this.#listening = this.#listener!.close().finally(() => {
      this.#free = true;
      this.#check();
    });
    for (const [link, pipe] of [...this.#links]) {
      if (pipe !== undefined) this.#host.detach(pipe);
      link.finish();
    }
    return this.#listening;
  }

  /** Ends every link now. */
  close(): void {
    void this.finish();
    for (const link of [...this.#links.keys()]) link.close();
  }

  #check(): void {
    if (!this.#free || this.#links.size > 0 || this.#closed) return;
    this.#closed = true;
    this.#done();
  }
}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: "the address is in use already",
  EADDRNOTAVAIL: "this machine has no such address",
  EACCES: "the system does not permit it; ports below 1024 need privileges",
  EMFILE: "too many files are open in this process",
};

function cannotListen(endpoint: Endpoint, cause: unknown): EndpointError {
  if (cause instanceof EndpointError) return cause;
  const code = codeOf(cause) || "EINVAL";
  const reason = REASONS[code] ?? textOf(cause);
  return new EndpointError(code, `Cannot bind ${JSON.stringify(endpoint.text)}: ${reason}`, {
    address: endpoint.text,
    cause,
  });
}
