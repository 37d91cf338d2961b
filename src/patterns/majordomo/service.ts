// What a broker knows: services, the workers of each, and the requests that wait for one.

import type { Frame } from "../../../mod.ts";
import { keyOf } from "../base/octets.ts";
import { Fifo } from "../base/fifo.ts";
import type { Dialect } from "./protocol.ts";

/** A client's request, from when it comes until it is answered or given up. */
export interface BrokerRequest {
  /** The whole message. */
  readonly message: readonly Frame[];
  /** How many of its frames lead back to the client. */
  readonly hops: number;
  /** Where its body begins. */
  readonly bodyAt: number;
  readonly dialect: Dialect;
  /** The frame that stands for the client in what workers get and answer. */
  readonly address: Uint8Array;
  readonly since: number;
  /** How often it was given to a worker. */
  deliveries: number;
}

/** A worker that said READY. */
export class RemoteWorker {
  readonly id: Frame;
  readonly key: string;
  readonly service: Service;
  readonly dialect: Dialect;
  /** What it was given and has not answered yet, oldest first. */
  readonly inFlight: BrokerRequest[] = [];
  heard: number;
  sent: number;

  constructor(id: Frame, key: string, service: Service, dialect: Dialect, time: number) {
    this.id = id;
    this.key = key;
    this.service = service;
    this.dialect = dialect;
    this.heard = time;
    this.sent = time;
  }
}

/** One service: its name, who can do it, and who waits for it. */
export class Service {
  readonly name: Uint8Array;
  readonly key: string;
  readonly requests: Fifo<BrokerRequest> = new Fifo();
  /** All that said READY and are not gone. */
  workers = 0;
  /** Those that have room for a request, the one that waits longest first. */
  readonly free: Set<RemoteWorker> = new Set();

  constructor(name: Uint8Array) {
    this.name = name;
    this.key = keyOf(name);
  }

  get text(): string {
    return new TextDecoder().decode(this.name);
  }

  get unused(): boolean {
    return this.workers === 0 && this.requests.length === 0;
  }
}
