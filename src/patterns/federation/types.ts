// What a FederatedBroker takes, tells and counts.

import type { Frame } from "../../../mod.ts";
import type { HeartbeatOptions } from "../base/liveness.ts";
import type { PartOptions } from "../base/part.ts";

/** Options of a `FederatedBroker`. */
export interface FederatedBrokerOptions extends PartOptions, HeartbeatOptions {
  /** The name of its cluster, by which the other clusters know it: 1 to 255 octets, and not the same twice. */
  readonly name: string;
  /**
   * So many requests wait for a worker at most; with more, the broker does not read on, and clients are held up.
   * @default {10000}
   */
  readonly maxWaiting?: number | undefined;
  /**
   * So many requests of other clusters wait for a worker here at most; what comes beyond is declined, and its cluster gives
   * it to another one.
   * @default {1000}
   */
  readonly maxGuests?: number | undefined;
  /**
   * So many workers or clusters are given a request, one after the other, when those before died; then it is dropped.
   * @default {5}
   */
  readonly maxTries?: number | undefined;
  /**
   * So many workers are known at most.
   * @default {10000}
   */
  readonly maxWorkers?: number | undefined;
  /**
   * No worker is given more requests at once, whatever it asks for.
   * @default {1000}
   */
  readonly maxConcurrency?: number | undefined;
  /**
   * Other clusters are told of a change in the number of free workers after so many milliseconds.
   * @default {10}
   */
  readonly stateInterval?: number | undefined;
}

/** Where a broker listens, or shall listen. */
export interface BrokerAddresses {
  /** For its clients: ROUTER. */
  readonly clients?: string | undefined;
  /** For its workers: ROUTER. */
  readonly workers?: string | undefined;
  /** For requests of other clusters: ROUTER. */
  readonly cloud?: string | undefined;
  /** Where it tells how many workers are free: PUB. */
  readonly state?: string | undefined;
}

/** Another cluster, and how to reach it. */
export interface PeerCluster {
  /** Its name. */
  readonly name: string;
  /** Where its broker listens for requests of other clusters. */
  readonly cloud: string;
  /** Where its broker tells how many workers are free. */
  readonly state: string;
}

/** What a `FederatedBroker` tells. */
export interface FederatedBrokerEvents {
  /** A worker has registered. */
  worker: { readonly id: Frame; readonly concurrency: number };
  /** A worker has left, or was given up. Of what it had, `requests` are given to others. */
  workerLost: { readonly id: Frame; readonly requests: number };
  /** Another cluster is heard, for the first time or again. */
  peer: { readonly name: string };
  /** Another cluster is not heard any more, or was removed. Of what it had, `requests` are given to others. */
  peerLost: { readonly name: string; readonly requests: number };
  /** A request that `maxTries` workers were given, and none has answered, is dropped. */
  dropped: { readonly body: readonly Frame[]; readonly tries: number };
  /** Something that is not of the protocol was dropped. */
  malformed: {
    readonly from: "client" | "worker" | "cloud" | "peer" | "state";
    readonly frames: readonly Frame[];
  };
  /** What should not happen. */
  error: { readonly error: unknown };
}

/** Figures of another cluster. */
export interface PeerFigures {
  /** True while it is heard. */
  readonly alive: boolean;
  /** How many requests more it is thought to take. */
  readonly free: number;
  /** Requests that it has now. */
  readonly outstanding: number;
  /** Requests that it was given. */
  readonly sent: number;
  /** Replies that came from it. */
  readonly answered: number;
}

/** Figures of a broker. All but `waiting`, `outstanding`, `workers`, `free` and `peers` only grow. */
export interface FederatedBrokerStats {
  /** Requests of clients here that were given to workers here. */
  readonly local: number;
  /** Requests of clients here that were given to other clusters. */
  readonly cloudOut: number;
  /** Requests of other clusters that were given to workers here. */
  readonly cloudIn: number;
  /** Replies that went to clients here, and to other clusters. */
  readonly answered: number;
  /** Requests that wait for a worker now. */
  readonly waiting: number;
  /** Requests that workers here or other clusters have now. */
  readonly outstanding: number;
  /** Requests that were given to another, as the one before was lost, failed or declined. */
  readonly retried: number;
  /** Requests of other clusters that were sent back unserved. */
  readonly declined: number;
  /** Requests that were given up after `maxTries`. */
  readonly dropped: number;
  /** Requests that came again while they were under way; they are not done twice for that. */
  readonly repeated: number;
  /** Replies to what was answered already. */
  readonly stale: number;
  /** Replies to clients that are gone or do not read. */
  readonly undeliverable: number;
  /** What is not of the protocol. */
  readonly malformed: number;
  /** Workers that are known now. */
  readonly workers: number;
  /** Requests more that they can take now. */
  readonly free: number;
  /** The other clusters, by their names. */
  readonly peers: Readonly<Record<string, PeerFigures>>;
}

/** The counters behind the figures. */
export type Counters = {
  -readonly [
    K in Exclude<
      keyof FederatedBrokerStats,
      "waiting" | "outstanding" | "workers" | "free" | "peers"
    >
  ]: number;
};

/** All at nothing. */
export function newCounters(): Counters {
  return {
    local: 0,
    cloudOut: 0,
    cloudIn: 0,
    answered: 0,
    retried: 0,
    declined: 0,
    dropped: 0,
    repeated: 0,
    stale: 0,
    undeliverable: 0,
    malformed: 0,
  };
}
