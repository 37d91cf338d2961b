// What the supervisor and the processes of the soak tell each other, one line of JSON each.

import type { Account, Faults } from "./ledger.ts";
import type { Holdings } from "./holdings.ts";
import type { LibraryName } from "./library.ts";

export type Mechanism = "NULL" | "PLAIN" | "CURVE";

/** The kinds of sockets that a place has. */
export type Service = "pull" | "rep" | "router" | "pub" | "push" | "pair" | "front" | "back";

/** What a visitor does at a place; "pair" and "pull" are for one visitor of a place only. */
export type Flow = "push" | "req" | "dealer" | "sub" | "proxied" | "pair" | "pull";

/** Sockets that are bound with one mechanism. */
export interface Place {
  /** Its process and what tells it from others of that process. */
  readonly name: string;
  readonly mechanism: Mechanism;
  readonly serverKey?: string;
  readonly endpoints: Readonly<Partial<Record<Service, string>>>;
}

/** A place to visit. */
export interface Visit {
  readonly place: Place;
  readonly flows: readonly Flow[];
  /** Nobody there, and nobody here, is killed: each message has to come. */
  readonly steady: boolean;
}

/** How a process is started; the only argument of process.ts. */
export interface Setup {
  readonly name: string;
  readonly library: LibraryName;
  /** What is bound: places of former lives again, or new ones. */
  readonly places: readonly PlaceSetup[];
  /** Milliseconds between two reports. */
  readonly reportEvery: number;
}

export interface PlaceSetup {
  readonly mechanism: Mechanism;
  readonly transport: "tcp" | "ipc" | "inproc";
  /** Without them, free ones. */
  readonly endpoints?: Readonly<Partial<Record<Service, string>>>;
  readonly folder: string;
  /** Keys of a CURVE server. */
  readonly publicKey?: string;
  readonly secretKey?: string;
}

/** To a process. */
export type Order =
  | { readonly order: "visit"; readonly visits: readonly Visit[]; readonly churn: readonly Place[] }
  /** Sends nothing new any more. */
  | { readonly order: "stop" }
  | { readonly order: "accounts" }
  /** Closes all and ends. */
  | { readonly order: "close" };

/** A process's figures. */
export interface Report {
  readonly told: "report";
  readonly sent: number;
  readonly received: number;
  readonly faults: Faults;
  readonly stories: readonly string[];
  /** Requests that died with a peer. */
  readonly unanswered: number;
  readonly sockets: number;
  readonly churned: number;
  readonly holdings: Holdings;
}

/** From a process. */
export type Told =
  | { readonly told: "ready"; readonly places: readonly Place[]; readonly before: Holdings }
  | Report
  /** How many messages each source of this process sent, of those that all have to come. */
  | { readonly told: "stopped"; readonly sent: Readonly<Record<string, number>> }
  | { readonly told: "accounts"; readonly accounts: Readonly<Record<string, Account>> }
  | { readonly told: "closed"; readonly after: Holdings }
  | { readonly told: "trouble"; readonly text: string };
