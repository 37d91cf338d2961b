// One cluster: its broker, its clients, its workers, and what they have told.

import type { FederatedBrokerStats, PeerCluster } from "../../../src/patterns/mod.ts";
import { Histogram } from "./histogram.ts";
import { type Figures, Member } from "./member.ts";
import type { ClientFigures, Task } from "./messages.ts";
import type { Options } from "./options.ts";

/** A worker that crashed is started anew after so long. */
const REPAIR_MS = 500;

/** What a cluster's clients have seen, in all and lately. */
export class Cluster {
  readonly name: string;
  readonly #options: Options;
  readonly #workers: Set<Member> = new Set();
  #broker: Member | undefined;
  #crowd: Member | undefined;
  #peer: PeerCluster | undefined;
  #workerAddress = "";
  #closing = false;
  /** No worker is started anew until then. */
  #darkUntil = 0;
  /** Processor time of each of its processes, in microseconds. */
  readonly #cpu: Map<object, readonly [Task["task"], number]> = new Map();
  broker: FederatedBrokerStats | undefined;
  clients: ClientFigures | undefined;
  /** When those came. */
  heardAt = 0;
  crashes = 0;
  readonly latencies: Histogram = new Histogram();
  /** Of the time between two looks. */
  readonly lately: Histogram = new Histogram();

  constructor(name: string, options: Options) {
    this.name = name;
    this.#options = options;
  }

  async start(): Promise<PeerCluster> {
    const { transport, workers, clients, rate, bodies } = this.#options;
    const crowd = { clients, rate, bodies };
    const inside = transport === "inproc";
    this.#broker = this.#member({
      task: "broker",
      cluster: this.name,
      transport,
      ...(inside && { crowd }),
    });
    const { cloud, state, workers: workerAddress, clients: address } = await this.#broker.ready;
    this.#workerAddress = workerAddress!;
    this.#peer = { name: this.name, cloud: cloud!, state: state! };
    for (let i = 0; i < workers; i++) this.#hire();
    this.#crowd = inside
      ? this.#broker
      : this.#member({ task: "clients", cluster: this.name, address: address!, crowd });
    await Promise.all([this.#crowd.ready, ...[...this.#workers].map(({ ready }) => ready)]);
    return this.#peer;
  }

  join(peers: readonly PeerCluster[]): void {
    this.#broker!.say({
      order: "join",
      peers: peers.filter(({ name }) => name !== this.name),
    });
  }

  begin(): void {
    this.#crowd!.say({ order: "begin" });
  }

  /** From now on it counts. */
  count(): void {
    this.#crowd!.say({ order: "count" });
    this.latencies.take();
    this.lately.take();
  }

  /** Processor time of its processes that have one task, in microseconds. */
  cpuOf(task: Task["task"]): number {
    let sum = 0;
    for (const [of, cpu] of this.#cpu.values()) if (of === task) sum += cpu;
    return sum;
  }

  /** How many of its worker processes are there. */
  get workers(): number {
    return this.#workers.size;
  }

  /** Kills one worker. */
  crashOne(): void {
    const workers = [...this.#workers];
    workers[Math.floor(Math.random() * workers.length)]?.crash();
  }

  /** Kills all workers; for so many milliseconds none is started anew. */
  crashAll(ms: number): void {
    this.#darkUntil = performance.now() + ms;
    for (const worker of this.#workers) worker.crash();
  }

  /** Waits until all requests are answered. */
  async drain(): Promise<void> {
    this.#crowd!.say({ order: "end" });
    await this.#crowd!.done;
  }

  async end(): Promise<void> {
    this.#closing = true;
    const members = [this.#crowd, ...this.#workers, this.#broker];
    await Promise.all(members.map((member) => member?.end()));
  }

  #hire(): void {
    const worker: Member = this.#member({
      task: "worker",
      cluster: this.name,
      address: this.#workerAddress,
      concurrency: this.#options.concurrency,
    }, () => {
      this.#workers.delete(worker);
      this.crashes++;
      const dark = this.#darkUntil - performance.now();
      setTimeout(() => this.#closing || this.#hire(), Math.max(REPAIR_MS, dark));
    });
    this.#workers.add(worker);
  }

  #member(task: Task, ended: () => void = () => this.#broken(task)): Member {
    const key = {};
    return new Member(task, (figures) => {
      this.#cpu.set(key, [task.task, figures.cpu]);
      this.#hear(figures);
    }, ended);
  }

  #broken(task: Task): never {
    throw new Error(`The process of ${this.name}'s ${task.task} has ended`);
  }

  #hear({ broker, clients }: Figures): void {
    if (broker !== undefined) this.broker = broker;
    if (clients === undefined) return;
    this.clients = clients;
    this.heardAt = performance.now();
    this.latencies.merge(clients.latencies);
    this.lately.merge(clients.latencies);
  }
}
