// What sockets tell about their peers.

import type { Distributor } from "../routing/distributor.ts";
import type { Pipe } from "../routing/pipe.ts";

/** One peer of a socket. */
export interface PeerStats {
  /** Where the peer is. */
  readonly address: string;
  /** Messages that wait for it. */
  readonly queued: number;
  /** Messages it did not get because `sendHighWaterMark` was reached. */
  readonly dropped: number;
  /** Topics it is subscribed to. */
  readonly subscriptions: number;
}

/** A socket that sends to many peers at once, and drops what one of them has no room for. */
export interface SocketStats {
  /** Messages that some peer did not get, once for each; also for peers that are gone. */
  readonly dropped: number;
  /** The peers that are connected, and those that are being connected. */
  readonly peers: PeerStats[];
}

/** The figures of a socket. */
export function statsOf(
  dropped: number,
  pipes: Iterable<Pipe>,
  subscriptions: (pipe: Pipe) => number,
): SocketStats {
  const peers = Array.from(pipes, (pipe) => ({
    address: pipe.address,
    queued: pipe.outbox.waiting,
    dropped: pipe.outbox.dropped,
    subscriptions: subscriptions(pipe),
  }));
  return { dropped, peers };
}

/** The figures of a PUB or XPUB. */
export function publisherStats(distributor: Distributor): SocketStats {
  return statsOf(
    distributor.fan.dropped,
    distributor.pipes,
    (pipe) => distributor.topicsOf(pipe),
  );
}
