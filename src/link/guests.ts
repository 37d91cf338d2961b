// The peers that came to a socket by themselves: each that finishes its handshake gets a pipe of its own.

import { formatEndpoint } from "../endpoint.ts";
import { ZmqError } from "../errors.ts";
import { isInNetwork, parseNetwork } from "../networks.ts";
import { listOf } from "../option_values.ts";
import type { PeerIdentity } from "../peer.ts";
import type { Pipe } from "../routing/pipe.ts";
import { peerAddress } from "./addresses.ts";
import type { LinkHost, Security } from "./host.ts";
import { Link, type LinkOwner } from "./link.ts";
import { Pending } from "./pending.ts";
import { admitPipe, closePipe, openPipe } from "./pipes.ts";
import { RawLink } from "./raw_link.ts";
import type { ByteStream } from "./stream.ts";
import type { Side } from "./websocket/sides.ts";
import { WebSocketStream } from "./websocket/web_socket_stream.ts";

/** A connection of either kind. */
type AnyLink = Link | RawLink;

/** How they came. */
export interface Entrance {
  /** The endpoint, for events. */
  readonly endpoint: string;
  readonly security: Security;
  /** Over WebSocket: this side of its handshake. */
  readonly side?: Side | undefined;
}

export class Guests implements LinkOwner {
  readonly #host: LinkHost;
  readonly #left: () => void;
  readonly #links: Map<AnyLink, Pipe | undefined> = new Map();
  readonly #pending: Pending<AnyLink> = new Pending();
  /** Who wants to know that a connection is gone. */
  readonly #watched: Map<AnyLink, () => void> = new Map();

  /** `left` is called when one of them has ended. */
  constructor(host: LinkHost, left: () => void) {
    this.#host = host;
    this.#left = left;
  }

  /** How many there are. */
  get size(): number {
    return this.#links.size;
  }

  /** Serves a connection, unless it is not welcome. `gone` is called when it is closed. */
  receive(stream: ByteStream, { endpoint, security, side }: Entrance, gone?: () => void): void {
    const { monitor, options, type } = this.#host;
    const where = { address: endpoint, peerAddress: peerAddress(stream.remote, endpoint) };
    const unwelcome = whyNot(stream, options.tcpAcceptFilter, gone !== undefined);
    if (unwelcome !== undefined) {
      stream.abort();
      monitor.emit({ type: "accept:error", ...where, error: unwelcome });
      return gone?.();
    }
    monitor.emit({ type: "accept", ...where });
    const most = options.maxPendingHandshakes;
    if (most > 0 && this.#pending.size >= most) this.evict(tooMany(most));
    const link = type === "STREAM"
      ? new RawLink(this.#host, this, stream, endpoint)
      : new Link(this.#host, this, this.#framed(stream, side), endpoint, security);
    this.#links.set(link, undefined);
    this.#pending.add(link);
    if (gone !== undefined) this.#watched.set(link, gone);
    link.start();
  }

  #framed(stream: ByteStream, side: Side | undefined): ByteStream {
    return side === undefined ? stream : new WebSocketStream(stream, side, this.#host);
  }

  /** Ends one that has not finished its handshake. */
  evict(reason: Error): void {
    this.#pending.evict(reason);
  }

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
    this.#left();
  }

  gone(link: AnyLink): void {
    this.#pending.delete(link);
    this.#watched.get(link)?.();
    this.#watched.delete(link);
  }

  /** Lets them go as soon as what waits for them is sent. */
  finish(): void {
    for (const [link, pipe] of [...this.#links]) {
      if (pipe !== undefined) this.#host.detach(pipe);
      link.finish();
    }
  }

  /** Ends them now. */
  close(): void {
    for (const link of [...this.#links.keys()]) link.close();
  }
}

function tooMany(most: number): ZmqError {
  return new ZmqError(
    "ENOBUFS",
    `The peer did not finish the handshake before ${most} others had begun theirs; ` +
      "maxPendingHandshakes sets the limit",
  );
}

/** Why a connection is not served: the accept filter does not admit its address, or nothing is known of that. */
export function whyNot(
  { remote }: Pick<ByteStream, "remote">,
  filter: string | readonly string[] | null,
  handed: boolean,
): ZmqError | undefined {
  if (!("host" in remote)) return undefined;
  const networks = listOf(filter);
  if (remote.host === "" && (!handed || networks.length > 0)) {
    return new ZmqError(
      "ENOTCONN",
      handed
        ? "Nothing is known of the peer's address, which tcpAcceptFilter asks for"
        // Some runtimes hand it over all the same, with what the peer sent; no rule about addresses would see it.
        : "The peer was gone before the connection was accepted",
    );
  }
  const admitted = networks.length === 0 ||
    networks.some((network) => isInNetwork(remote.host, parseNetwork(network)!));
  if (admitted) return undefined;
  return new ZmqError("EACCES", "The address is not one that tcpAcceptFilter admits", {
    address: formatEndpoint(remote),
  });
}
