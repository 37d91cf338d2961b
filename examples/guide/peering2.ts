/**
 * A federation of clusters, part 2: the local flow and the cloud flow.
 *
 * Each broker has four ROUTER sockets: for its clients, for its workers, for requests that come from
 * other clusters, and for those that it sends to them. A worker says that it is ready, or answers,
 * which says the same; then it is given a request. Most requests of the broker's own clients are
 * done here; one in five, by chance, is sent to another cluster. What comes from another cluster is
 * always done here, so no request goes in circles.
 *
 * Every ROUTER on the way puts the address of the sender before a message and takes it off again on
 * the way back: that alone brings each reply home. The requests of this part go where chance says;
 * in part 3 they go where workers are free.
 *
 *   deno run --allow-net examples/guide/peering2.ts
 *
 * or the same with `bun` or `node`. After peering2 of the ZeroMQ guide.
 *
 * @module
 */

import { type Frame, Request, Router } from "../../mod.ts";
import { sleep } from "./program.ts";

const NAMES = ["oslo", "rome", "lima"];
const WORKERS = 3;
const CLIENTS = 5;
const REQUESTS = 10;
const TO_CLOUD = 0.2;

class Broker {
  readonly name: string;
  readonly clients: Router = new Router();
  readonly workers: Router = new Router();
  readonly cloudIn: Router;
  readonly cloudOut: Router;
  readonly #peers: string[] = [];
  readonly #free: Frame[] = [];
  /** What waits for a worker: [where the reply goes, the message]. */
  readonly #waiting: [Router, Frame[]][] = [];

  constructor(name: string) {
    this.name = name;
    // Brokers know each other by their names.
    this.cloudIn = new Router({ routingId: name });
    this.cloudOut = new Router({ routingId: name });
  }

  async open(): Promise<void> {
    for (const socket of [this.clients, this.workers, this.cloudIn]) {
      await socket.bind("tcp://127.0.0.1:*");
    }
  }

  join(peer: Broker): void {
    this.cloudOut.connect(peer.cloudIn.lastEndpoint!, { routingId: peer.name });
    this.#peers.push(peer.name);
  }

  async run(): Promise<void> {
    await Promise.all([
      this.#serve(this.clients, (message) => this.#fromClient(message)),
      this.#serve(this.cloudIn, (message) => this.#waiting.push([this.cloudIn, message])),
      this.#serve(this.workers, ([worker, , ...message]) => this.#fromWorker(worker, message)),
      // A reply of another cluster: without that cluster's name it is what the client's envelope is.
      this.#serve(this.cloudOut, ([, ...message]) => this.clients.send(message)),
    ]);
  }

  async #serve(socket: Router, take: (message: Frame[]) => unknown): Promise<void> {
    for await (const message of socket) {
      await take(message);
      await this.#dispatch();
    }
  }

  async #fromClient(message: Frame[]): Promise<void> {
    if (Math.random() >= TO_CLOUD) {
      this.#waiting.push([this.clients, message]);
      return;
    }
    const peer = this.#peers[Math.floor(Math.random() * this.#peers.length)];
    await this.cloudOut.send([peer, ...message]);
  }

  /** A worker is free; what it says, but for the first time, is a reply. */
  async #fromWorker(worker: Frame, message: Frame[]): Promise<void> {
    this.#free.push(worker);
    if (message.length === 1) return; // ready
    // The worker says whose request it was: its own cluster's, or another one's.
    const [origin, ...reply] = message;
    await (`${origin}` === "clients" ? this.clients : this.cloudIn).send(reply);
  }

  async #dispatch(): Promise<void> {
    while (this.#free.length > 0 && this.#waiting.length > 0) {
      const worker = this.#free.shift()!;
      const [from, message] = this.#waiting.shift()!;
      const origin = from === this.clients ? "clients" : "cloud";
      await this.workers.send([worker, "", origin, ...message]);
    }
  }

  async close(): Promise<void> {
    const sockets = [this.clients, this.workers, this.cloudIn, this.cloudOut];
    await Promise.all(sockets.map((socket) => socket.close()));
  }
}

/** Answers until it is closed. The envelope, all but the last frame, goes back as it came. */
async function work(worker: Request, broker: Broker): Promise<void> {
  worker.connect(broker.workers.lastEndpoint!);
  await worker.send("\x01");
  for await (const message of worker) {
    await sleep(1);
    await worker.send([...message.slice(0, -1), broker.name]);
  }
}

/** Asks a few times; how many requests were done in another cluster. */
async function ask(broker: Broker): Promise<number> {
  const client = new Request();
  client.connect(broker.clients.lastEndpoint!);
  let elsewhere = 0;
  for (let i = 0; i < REQUESTS; i++) {
    await client.send("hello");
    const [where] = await client.receive();
    if (`${where}` !== broker.name) elsewhere++;
  }
  await client.close();
  return elsewhere;
}

const brokers = NAMES.map((name) => new Broker(name));
await Promise.all(brokers.map((broker) => broker.open()));
for (const broker of brokers) {
  for (const peer of brokers) if (peer !== broker) broker.join(peer);
}
const running = brokers.map((broker) => broker.run());
const workers = brokers.flatMap((broker) =>
  Array.from({ length: WORKERS }, () => [new Request(), broker] as const)
);
const working = workers.map(([worker, broker]) => work(worker, broker));

await Promise.all(brokers.map(async (broker) => {
  const clients = Array.from({ length: CLIENTS }, () => ask(broker));
  const elsewhere = (await Promise.all(clients)).reduce((sum, count) => sum + count, 0);
  console.log(
    `${broker.name}: ${CLIENTS * REQUESTS} requests answered, ${elsewhere} in other clusters`,
  );
}));

await Promise.all(workers.map(([worker]) => worker.close()));
await Promise.all(brokers.map((broker) => broker.close()));
await Promise.all([...running, ...working]);
