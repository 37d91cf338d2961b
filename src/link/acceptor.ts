// The binding side of one endpoint: listens, and gives each peer that finishes its handshake a pipe of its own.

import { formatEndpoint, type IpcEndpoint, type TcpEndpoint } from "../endpoint.ts";
import { codeOf, ZmqError } from "../errors.ts";
import { asError } from "../events.ts";
import { isInNetwork, parseNetwork } from "../networks.ts";
import { listOf } from "../option_values.ts";
import type { PeerIdentity } from "../peer.ts";
import type { Pipe } from "../routing/pipe.ts";
import type { LinkHost, Security } from "./host.ts";
import { peerAddress } from "./addresses.ts";
import { Link, type LinkOwner } from "./link.ts";
import { type Bound, listenAt, listenAtSync } from "./listening.ts";
import { Pending } from "./pending.ts";
import { admitPipe, closePipe, openPipe } from "./pipes.ts";
import { RawLink } from "./raw_link.ts";
import type { ByteStream } from "./stream.ts";

/** There are no file descriptors left, of the process or of the system. */
const SHORTAGE: readonly unknown[] = ["EMFILE", "ENFILE"];

/** A connection of either kind. */
type AnyLink = Link | RawLink;

export class Acceptor implements LinkOwner {
  readonly #host: LinkHost;
  readonly #done: () => void;
  readonly #security: Security;
  readonly #links: Map<AnyLink, Pipe | undefined> = new Map();
  readonly #pending: Pending<AnyLink> = new Pending();
  #bound: Bound | undefined;
  /** Connections that came before `listen` was done. */
  #early: ByteStream[] = [];
  #listening: Promise<void> | undefined;
  #finishing = false;
  /** The listener has ended. */
  #free = false;
  #closed = false;

  /** `done` is called once, when the listener and all its links have ended. */
  constructor(host: LinkHost, done: () => void) {
    this.#host = host;
    this.#done = done;
    this.#security = host.secure();
  }

  /**
   * Starts to listen.
   *
   * @throws {EndpointError} With the code of the system: `EADDRINUSE`, `EADDRNOTAVAIL`, `EACCES` …
   */
  async listen(endpoint: TcpEndpoint | IpcEndpoint): Promise<void> {
    this.#listensAt(await listenAt(endpoint, this.#host, this));
  }

  /** As `listen`, within the call. */
  listenSync(endpoint: TcpEndpoint | IpcEndpoint): void {
    this.#listensAt(listenAtSync(endpoint, this.#host, this));
  }

  #listensAt(bound: Bound): void {
    this.#bound = bound;
    this.#host.monitor.emit({ type: "bind", address: bound.endpoint });
    const early = this.#early;
    this.#early = [];
    for (const stream of early) this.accepted(stream);
  }

  /** The endpoint that peers can connect to. */
  get endpoint(): string {
    return this.#bound!.endpoint;
  }

  readonly accepted = (stream: ByteStream): void => {
    if (this.#finishing) return stream.abort();
    if (this.#bound === undefined) {
      this.#early.push(stream);
      return;
    }
    const { monitor, options, type } = this.#host;
    const where = {
      address: this.endpoint,
      peerAddress: peerAddress(stream.remote, this.endpoint),
    };
    const unwelcome = whyNot(stream, options.tcpAcceptFilter);
    if (unwelcome !== undefined) {
      stream.abort();
      return monitor.emit({ type: "accept:error", ...where, error: unwelcome });
    }
    monitor.emit({ type: "accept", ...where });
    const most = options.maxPendingHandshakes;
    if (most > 0 && this.#pending.size >= most) this.#pending.evict(tooMany(most));
    const link = type === "STREAM"
      ? new RawLink(this.#host, this, stream, this.endpoint)
      : new Link(this.#host, this, stream, this.endpoint, this.#security);
    this.#links.set(link, undefined);
    this.#pending.add(link);
    link.start();
  };

  readonly failed = (error: unknown): void => {
    // Those that never finish their handshake must not keep the others out.
    if (SHORTAGE.includes(codeOf(error))) this.#pending.evict(asError(error));
    this.#host.monitor.emit({
      type: "accept:error",
      address: this.#bound?.endpoint ?? "",
      error: asError(error),
    });
  };

  ready(link: AnyLink, peer: PeerIdentity): Pipe | ZmqError {
    const pipe = openPipe(this.#host, link.address, undefined);
    pipe.endpoint = link.endpoint;
    const admitted = admitPipe(this.#host, pipe, peer);
    if (admitted instanceof Error) return admitted;
    this.#pending.delete(link);
    this.#links.set(link, pipe);
    return admitted;
  }

  ended(link: AnyLink): void {
    const pipe = this.#links.get(link);
    this.#links.delete(link);
    if (link.lingers) this.#pending.refused(link);
    else this.#pending.delete(link);
    if (pipe !== undefined) closePipe(this.#host, pipe);
    this.#check();
  }

  gone(link: AnyLink): void {
    this.#pending.delete(link);
  }

  /** Stops listening. The promise is for the listener alone; its links go on until they are sent empty. */
  finish(): Promise<void> {
    if (this.#listening !== undefined) return this.#listening;
    this.#finishing = true;
    this.#listening = this.#bound!.listener.close().finally(() => {
      this.#free = true;
      this.#tellClosed();
      this.#check();
    });
    for (const [link, pipe] of [...this.#links]) {
      if (pipe !== undefined) this.#host.detach(pipe);
      link.finish();
    }
    return this.#listening;
  }

  /** Removes the folder of a wildcard; the runtime has removed the file in it. */
  #tellClosed(): void {
    const { monitor, around } = this.#host;
    const { endpoint: address, folder } = this.#bound!;
    try {
      if (folder !== undefined) around.runtime.socketFiles!.removeFolder(folder);
    } catch (error) {
      monitor.emit({ type: "close:error", address, error: asError(error) });
    }
    monitor.emit({ type: "close", address });
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

function tooMany(most: number): ZmqError {
  return new ZmqError(
    "ENOBUFS",
    `The peer did not finish the handshake before ${most} others had begun theirs; ` +
      "maxPendingHandshakes sets the limit",
  );
}

/** Why a connection is not served: nothing is known of who it is, or the accept filter does not admit the address. */
function whyNot(
  { remote }: ByteStream,
  filter: string | readonly string[] | null,
): ZmqError | undefined {
  if (!("host" in remote)) return undefined;
  // Some runtimes hand it over all the same, with what the peer sent; no rule about addresses would see it.
  if (remote.host === "") {
    return new ZmqError("ENOTCONN", "The peer was gone before the connection was accepted");
  }
  const networks = listOf(filter);
  const admitted = networks.length === 0 ||
    networks.some((network) => isInNetwork(remote.host, parseNetwork(network)!));
  if (admitted) return undefined;
  return new ZmqError("EACCES", "The address is not one that tcpAcceptFilter admits", {
    address: formatEndpoint(remote),
  });
}
