// The figures of a socket.

import { totalsOf } from "../link/census.ts";
import type { Protocol } from "../peer.ts";
import type { Pipe } from "../routing/pipe.ts";
import type { Engine } from "./engine.ts";

/**
 * What went through a socket or to one of its peers. Octets are those on the wire, with framing and handshakes; for inproc
 * those of the frames. Subscriptions count as messages.
 */
export interface TrafficStats {
  /** Messages that arrived. */
  readonly messagesIn: number;
  /** Messages that left: they were handed to the system, or to the peer on inproc. */
  readonly messagesOut: number;
  /** Octets that arrived. */
  readonly bytesIn: number;
  /** Octets that left. */
  readonly bytesOut: number;
  /** Messages that wait to be sent. */
  readonly queued: number;
  /** Messages that were not sent because a peer was full, or that no peer could be found for. */
  readonly dropped: number;
  /** Connections that were made again after they were lost. */
  readonly reconnects: number;
}

/** One peer of a socket, or an endpoint that is being connected to. */
export interface PeerStats extends TrafficStats {
  /** The endpoint that was connected to, or else the peer's own address. */
  readonly address: string;
  /** A Router's name for the peer, else the one it announced; may be empty. */
  readonly routingId: Uint8Array;
  /** There is a connection past its handshake. */
  readonly connected: boolean;
  /** The version of ZMTP that the last connection spoke; empty before the first one, and within a context. */
  readonly protocol: Protocol | "";
  /** Messages that arrived and were not received yet. */
  readonly unread: number;
  /** Topics that are published to it. */
  readonly subscriptions: number;
}

/** The figures of a socket: sums over all peers, also those that are gone, and one entry for each that is there. */
export interface SocketStats extends TrafficStats {
  /** The peers that are connected, and those that are being connected. */
  readonly peers: PeerStats[];
}

/** The figures of a socket. */
export function statsOf({ census, pattern }: Engine): SocketStats {
  const peers = Array.from(census.pipes, (pipe) => peerStats(pipe, pattern.topicsOf?.(pipe) ?? 0));
  const queued = peers.reduce((sum, peer) => sum + peer.queued, 0);
  return { ...census.totals, queued, peers };
}

function peerStats(pipe: Pipe, subscriptions: number): PeerStats {
  return {
    address: pipe.address,
    routingId: pipe.routingId.slice(),
    connected: pipe.link !== undefined,
    protocol: pipe.protocol,
    ...totalsOf(pipe),
    queued: pipe.outbox.unsent,
    unread: pipe.inbox.messages + pipe.unread,
    subscriptions,
  };
}
