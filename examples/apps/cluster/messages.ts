// What the simulation's processes tell each other, as lines of JSON.

import type { FederatedBrokerStats, PeerCluster } from "../../../src/patterns/mod.ts";

/** How many clients there are, and what they ask. */
export interface CrowdSize {
  readonly clients: number;
  readonly rate: number;
  readonly bodies: number;
}

/** What a process is started with. */
export type Task =
  | {
    readonly task: "broker";
    readonly cluster: string;
    readonly transport: "inproc" | "ipc" | "tcp";
    /** The clients that live in the broker's process, over inproc. */
    readonly crowd?: CrowdSize | undefined;
  }
  | {
    readonly task: "clients";
    readonly cluster: string;
    readonly address: string;
    readonly crowd: CrowdSize;
  }
  | {
    readonly task: "worker";
    readonly cluster: string;
    readonly address: string;
    readonly concurrency: number;
  };

/** What the main process says to the others. */
export type Order =
  | { readonly order: "join"; readonly peers: readonly PeerCluster[] }
  /** Clients: make requests. */
  | { readonly order: "begin" }
  /** Clients: what was counted so far was to warm up. */
  | { readonly order: "count" }
  /** Clients: make no more requests, and say when all were answered. */
  | { readonly order: "end" };

/** Figures of all clients of a cluster. */
export interface ClientFigures {
  readonly requests: number;
  readonly answered: number;
  /** Not answered after all retries. */
  readonly lost: number;
  /** Answered with what is not the answer. */
  readonly wrong: number;
  readonly retried: number;
  /** Answered again, or when nobody waited any more. */
  readonly late: number;
  /** The latencies since the last time: steps of a histogram, and how many were in it. */
  readonly latencies: readonly (readonly [number, number])[];
}

/** What the others say to the main process. */
export type Told =
  | {
    readonly told: "ready";
    readonly clients?: string | undefined;
    readonly workers?: string | undefined;
    readonly cloud?: string | undefined;
    readonly state?: string | undefined;
  }
  | {
    readonly told: "figures";
    /** Processor time of the process, in microseconds. */
    readonly cpu: number;
    readonly broker?: FederatedBrokerStats;
    readonly clients?: ClientFigures;
  }
  | { readonly told: "done" };
