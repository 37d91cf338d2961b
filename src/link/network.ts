// What a socket needs besides inproc and the runtime's own WebSocket: tcp and what stands on it. An entry for pages, which
// have none of that, comes without.

import type { Core } from "../core/instance.ts";
import type { Flight, Outbox } from "../core/outbox.ts";
import type { StreamEndpoint } from "../endpoint.ts";
import { ZmqError } from "../errors.ts";
import type { Filling } from "../octets.ts";
import type { OptionValues } from "../options.ts";
import type { Acceptor } from "./acceptor.ts";
import type { Connection } from "./connection.ts";
import type { Guests } from "./guests.ts";
import type { LinkHost, Surroundings } from "./host.ts";
import type { RawLink, RawLinkOwner } from "./raw_link.ts";
import type { ByteStream } from "./stream.ts";
import type { Side } from "./websocket/sides.ts";

/** How connections are made over the network, and what only peers there need. */
export interface Network {
  /** One attempt to connect. */
  dial(endpoint: StreamEndpoint, host: LinkHost, signal: AbortSignal): Promise<ByteStream>;
  /** Listens; `done` is called once, when it and its connections have ended. */
  acceptor(host: LinkHost, done: () => void): Acceptor;
  /** Takes connections that were made elsewhere; `left` is called when one has ended. */
  guests(host: LinkHost, left: () => void): Guests;
  /** This side of the handshake of a WebSocket that was made elsewhere. */
  serverSide(path: string, options: OptionValues): Side;
  /** The stream of a connection that was made elsewhere. */
  streamOf(connection: Connection): Promise<ByteStream>;
  /** Serves a peer that does not speak ZMTP. */
  rawLink(host: LinkHost, owner: RawLinkOwner, stream: ByteStream, endpoint: string): RawLink;
  /** Reads the frames of ZMTP 1.0 for who takes those of ZMTP 3. */
  oldReader(to: Filling): Filling;
  /** Writes what is in an outbox as frames of ZMTP 1.0. */
  oldFlight(core: Core, outbox: Outbox): Flight;
}

/**
 * The network of a socket.
 *
 * @throws {ZmqError} `ENOTSUP` when it has none.
 */
export function networkOf({ network, runtime }: Surroundings): Network {
  if (network !== undefined) return network;
  throw new ZmqError(
    "ENOTSUP",
    `${runtime.name} cannot do that with this entry of the package, which has no network of its own`,
  );
}
