// What the page of this pattern guarantees, while real processes are killed and frozen. WASMQ_RUNS says how often.

import { assertEquals, assertGreater } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import {
  type FederatedBroker,
  FederatedClient,
  FederatedWorker,
} from "../../../src/patterns/federation/mod.ts";
import { eventually, pause, within } from "../../_util/deadline.ts";
import { commandFor, Program } from "../../_util/process.ts";
import { RUNS } from "../../_util/runs.ts";
import { clusterOf, KEEN, Stage, WAIT_MS } from "./stage.ts";

const { process } = globalThis as unknown as {
  process: { kill(pid: number, signal: string): boolean };
};

/** A part that is a process of its own. */
class PartProcess {
  readonly #program: Program;
  pid = 0;
  endpoints: Readonly<Record<"clients" | "workers" | "cloud" | "state", string>> = {
    clients: "",
    workers: "",
    cloud: "",
    state: "",
  };

  constructor(args: readonly string[]) {
    this.#program = new Program(
      commandFor("../patterns/federation/programs/part.ts", args),
    );
  }

  async ready(): Promise<this> {
    await this.#program.prints(" ready\n");
    const { pid, ...endpoints } = JSON.parse(/^\{.*\}/.exec(this.#program.output)![0]);
    this.pid = pid;
    this.endpoints = endpoints;
    return this;
  }

  freeze(): void {
    process.kill(this.pid, "SIGSTOP");
  }

  thaw(): void {
    process.kill(this.pid, "SIGCONT");
  }

  /** By SIGKILL. */
  kill(): Promise<void> {
    return this.#program.kill();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }
}

const stage = new Stage();
afterEach(() => stage.close());

const PATIENT = { timeout: WAIT_MS, retries: 0 };

function part(...args: string[]): Promise<PartProcess> {
  return stage.add(new PartProcess(args)).ready();
}

function workerHere(broker: FederatedBroker, ms: number, concurrency: number) {
  const handler = async ([text]: Uint8Array[]): Promise<string> => {
    await pause(ms);
    return `did ${text}`;
  };
  return stage.worker(broker, handler, { ...KEEN, concurrency });
}

/** Some clients' worth of requests, and what came of them. */
class Load {
  readonly #client: FederatedClient;
  #stopped = false;
  answered = 0;
  readonly #askers: Promise<void>[];

  constructor(client: FederatedClient, atOnce = 24) {
    this.#client = client;
    this.#askers = Array.from({ length: atOnce }, (_, i) => this.#ask(i));
  }

  async #ask(asker: number): Promise<void> {
    for (let i = 0; !this.#stopped; i++) {
      const reply = await this.#client.request(`${asker}-${i}`);
      assertEquals(reply.map(String), [`did ${asker}-${i}`]);
      this.answered++;
    }
  }

  /** Waits until so many more were answered. */
  async more(count: number): Promise<void> {
    const goal = this.answered + count;
    const failed = Promise.all(this.#askers).then(() => {});
    const reached = eventually(() => this.answered >= goal, WAIT_MS, `${goal} replies`);
    await Promise.race([failed, reached]);
  }

  /** No more are made; all that are under way are answered, and none twice. */
  async end(): Promise<void> {
    this.#stopped = true;
    await within(Promise.all(this.#askers), WAIT_MS, "every request is answered");
    const { requests, answered, failed, pending } = this.#client.stats();
    assertEquals([answered, failed, pending], [requests, 0, 0]);
    assertEquals(this.answered, requests);
  }
}

function times(name: string, run: () => Promise<void>): void {
  for (let i = 1; i <= RUNS; i++) it(i === 1 ? name : `${name}, time ${i}`, run);
}

async function isIdle(broker: FederatedBroker): Promise<void> {
  const idle = () => broker.stats().waiting === 0 && broker.stats().outstanding === 0;
  await eventually(idle, WAIT_MS, "nothing is left");
}

describe("Each request is answered once, though", () => {
  times("a worker is killed", async () => {
    const broker = await stage.broker("a", KEEN);
    await workerHere(broker, 5, 8);
    const victim = await part("worker", broker.endpoints.workers!);
    await eventually(() => broker.stats().workers === 2, WAIT_MS);
    const client = stage.client(broker, PATIENT);
    const load = new Load(client);
    await load.more(60);
    await victim.kill();
    await eventually(() => broker.stats().workers === 1, WAIT_MS);
    await load.more(20);
    await load.end();
    await isIdle(broker);
    assertGreater(broker.stats().retried, 0);
    assertEquals([client.stats().late, broker.stats().stale], [0, 0]);
  });

  times("a worker is frozen, and goes on later", async () => {
    const broker = await stage.broker("a", KEEN);
    await workerHere(broker, 5, 8);
    const victim = await part("worker", broker.endpoints.workers!);
    await eventually(() => broker.stats().workers === 2, WAIT_MS);
    const client = stage.client(broker, PATIENT);
    const load = new Load(client);
    await load.more(60);
    victim.freeze();
    await eventually(() => broker.stats().workers === 1, WAIT_MS);
    await load.more(20);
    victim.thaw();
    // What it had was done by others: its replies come too late.
    await eventually(() => broker.stats().workers === 2, WAIT_MS);
    await eventually(() => broker.stats().stale > 0, WAIT_MS);
    await load.more(60);
    await load.end();
    await isIdle(broker);
    assertEquals(client.stats().late, 0);
  });

  /** A worker, and a client with its load, of a broker in another process. */
  function meetAt(clients: string, workers: string): { worker: FederatedWorker; load: Load } {
    const worker = stage.add(
      new FederatedWorker({ ...KEEN, handler: ([text]) => `did ${text}`, concurrency: 8 }),
    );
    worker.connect(workers);
    const client = stage.add(new FederatedClient({ timeout: 500, retries: 60 }));
    client.connect(clients);
    return { worker, load: new Load(client) };
  }

  times("the broker is killed and started anew", async () => {
    const first = await part("broker");
    const { clients, workers } = first.endpoints;
    const { load } = meetAt(clients, workers);
    await load.more(60);
    await first.kill();
    await part("broker", clients, workers);
    await load.more(60);
    await load.end();
  });

  times("the broker is frozen for a while", async () => {
    const broker = await part("broker");
    const { clients, workers } = broker.endpoints;
    const { worker, load } = meetAt(clients, workers);
    await load.more(60);
    broker.freeze();
    await eventually(() => worker.stats().reconnects > 0, WAIT_MS);
    broker.thaw();
    await load.more(60);
    await load.end();
  });

  times("another client is killed", async () => {
    const broker = await stage.broker("a", KEEN);
    await workerHere(broker, 1, 4);
    const victim = await part("client", broker.endpoints.clients!);
    const load = new Load(stage.client(broker, PATIENT), 4);
    await load.more(4);
    await eventually(() => broker.stats().waiting > 100, WAIT_MS, "the other one asks a lot");
    await victim.kill();
    await load.more(10);
    await load.end();
    await isIdle(broker);
    assertGreater(broker.stats().undeliverable, 0);
  });

  let saved = 0;
  let runs = 0;
  times("another cluster is killed", async () => {
    const broker = await stage.broker("a", KEEN);
    await workerHere(broker, 5, 2);
    const victim = await part("cluster", "b");
    const { cloud, state } = victim.endpoints;
    broker.addPeer({ name: "b", cloud, state });
    const load = new Load(stage.client(broker, PATIENT));
    await eventually(() => broker.stats().peers.b.answered > 30, WAIT_MS, "b has work");
    await victim.kill();
    await eventually(() => !broker.stats().peers.b.alive, WAIT_MS);
    await load.more(20);
    await load.end();
    await isIdle(broker);
    // It can have had nothing just then; but not always.
    saved += broker.stats().retried;
    runs++;
    if (runs >= 10) assertGreater(saved, 0);
  });

  times("another cluster is frozen, and goes on later", async () => {
    const broker = await stage.broker("a", KEEN);
    await workerHere(broker, 5, 2);
    const victim = await part("cluster", "b");
    const { cloud, state } = victim.endpoints;
    broker.addPeer({ name: "b", cloud, state });
    const client = stage.client(broker, PATIENT);
    const load = new Load(client);
    await eventually(() => broker.stats().peers.b.answered > 30, WAIT_MS, "b has work");
    victim.freeze();
    await eventually(() => !broker.stats().peers.b.alive, WAIT_MS);
    await load.more(20);
    victim.thaw();
    await eventually(() => broker.stats().peers.b.alive, WAIT_MS);
    const { answered } = broker.stats().peers.b;
    await eventually(() => broker.stats().peers.b.answered > answered + 10, WAIT_MS);
    await load.end();
    await isIdle(broker);
    assertEquals(client.stats().late, 0);
  });

  times("clusters are added and removed", async () => {
    const broker = await stage.broker("a", KEEN);
    await workerHere(broker, 5, 2);
    const others = await Promise.all(["b", "c"].map((name) => stage.broker(name, KEEN)));
    for (const other of others) await workerHere(other, 5, 8);
    const client = stage.client(broker, PATIENT);
    const load = new Load(client);
    for (let i = 0; i < 4; i++) {
      const other = others[i % 2];
      broker.addPeer(clusterOf(other));
      await eventually(() => broker.stats().peers[other.name].answered > 20, WAIT_MS);
      broker.removePeer(other.name);
      await load.more(10);
    }
    await load.end();
    await isIdle(broker);
    assertEquals(client.stats().late, 0);
  });
});
