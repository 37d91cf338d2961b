// Clusters for the tests of a federation: brokers of ours, and clusters that are played by raw sockets.

import { assert } from "@std/assert";
import { Dealer, type Frame, Publisher, Router } from "../../../mod.ts";
import {
  FederatedBroker,
  type FederatedBrokerOptions,
  FederatedClient,
  type FederatedClientOptions,
  FederatedWorker,
  type FederatedWorkerOptions,
  type PeerCluster,
} from "../../../src/patterns/federation/mod.ts";
import { eventually } from "../../_util/deadline.ts";
import { ANY_PORT } from "../../_util/ports.ts";

/** How long anything may take on a busy machine. */
export const WAIT_MS = 20_000;

/** Quick heartbeats, and nobody is given up while a test looks elsewhere. */
export const BEATS = { heartbeatInterval: 100, heartbeatLiveness: 600 };

/** All that a test opens, closed in one go. */
export class Stage {
  readonly #open: AsyncDisposable[] = [];

  add<T extends AsyncDisposable>(part: T): T {
    this.#open.push(part);
    return part;
  }

  /** A broker that listens everywhere. */
  async broker(
    name: string,
    options: Partial<FederatedBrokerOptions> = {},
  ): Promise<FederatedBroker> {
    const broker = this.add(new FederatedBroker({ name, ...BEATS, ...options }));
    await broker.bind({ clients: ANY_PORT, workers: ANY_PORT, cloud: ANY_PORT, state: ANY_PORT });
    return broker;
  }

  client(broker: FederatedBroker, options: FederatedClientOptions = {}): FederatedClient {
    const client = this.add(new FederatedClient({ timeout: 5_000, ...options }));
    client.connect(broker.endpoints.clients!);
    return client;
  }

  /** A worker that the broker knows. */
  async worker(
    broker: FederatedBroker,
    handler: FederatedWorkerOptions["handler"],
    options: Partial<FederatedWorkerOptions> = {},
  ): Promise<FederatedWorker> {
    const worker = this.add(new FederatedWorker({ ...BEATS, handler, ...options }));
    const { workers } = broker.stats();
    worker.connect(broker.endpoints.workers!);
    await eventually(() => broker.stats().workers > workers, WAIT_MS, "the worker registers");
    return worker;
  }

  async close(): Promise<void> {
    await Promise.all(this.#open.splice(0).map((part) => part[Symbol.asyncDispose]()));
  }
}

/** How others reach a broker. */
export function clusterOf({ name, endpoints }: FederatedBroker): PeerCluster {
  return { name, cloud: endpoints.cloud!, state: endpoints.state! };
}

/** Waits until a broker thinks that a cluster has so many free workers. */
export async function sees(broker: FederatedBroker, name: string, free: number): Promise<void> {
  const figures = () => broker.stats().peers[name];
  const seen = () => figures()?.alive && figures().free === free;
  await eventually(seen, WAIT_MS, `${broker.name} sees ${free} free at ${name}`);
}

/** A handler that answers when it is told to. */
export class Held {
  readonly texts: string[] = [];
  readonly #answers: ((text: string) => void)[] = [];

  readonly handler = ([frame]: Frame[]): Promise<string> => {
    this.texts.push(String(frame));
    return new Promise((resolve) => this.#answers.push(resolve));
  };

  /** Waits until it has got so many requests. */
  async got(count: number): Promise<void> {
    await eventually(() => this.texts.length >= count, WAIT_MS, `${count} requests come`);
  }

  /** Answers the first one that it has. */
  answer(text: string): void {
    const answer = this.#answers.shift();
    assert(answer !== undefined, "there is a request to answer");
    answer(text);
  }
}

/** A cluster played by raw sockets, as a broker of the guide would have them. */
export class FakeCluster implements AsyncDisposable {
  readonly name: string;
  readonly cloud: Router = new Router({ linger: 0 });
  readonly state: Publisher = new Publisher({ linger: 0 });

  constructor(name: string) {
    this.name = name;
  }

  async join(broker: FederatedBroker): Promise<void> {
    await this.cloud.bind(ANY_PORT);
    await this.state.bind(ANY_PORT);
    broker.addPeer({
      name: this.name,
      cloud: this.cloud.lastEndpoint!,
      state: this.state.lastEndpoint!,
    });
    await eventually(() => this.state.topicsCount > 0, WAIT_MS, "the state flow is subscribed");
  }

  /** Says that so many workers are free. */
  async say(free: number): Promise<void> {
    await this.state.send([this.name, free]);
  }

  /** Says that so many workers are free, and waits until the broker has heard it. */
  async tell(broker: FederatedBroker, free: number): Promise<void> {
    await this.say(free);
    await sees(broker, this.name, free);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.cloud.close(), this.state.close()]);
  }
}

/** A DEALER at one of a broker's doors. */
export function dealerAt(address: string, routingId?: string): Dealer {
  const dealer = new Dealer({ linger: 0, ...(routingId !== undefined && { routingId }) });
  dealer.connect(address);
  return dealer;
}

/** The heartbeats of what is killed and frozen: who is silent for half a second is given up. */
export const KEEN = { heartbeatInterval: 50, heartbeatLiveness: 10 };
