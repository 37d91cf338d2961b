/**
 * A federation of clusters, part 3: all of it.
 *
 * Clients and workers know the broker of their cluster only; the brokers tell each other how many
 * workers are free. A request goes to a worker of its own cluster; only when none is free, to a
 * cluster that has some. Here the clients of each cluster ask in bursts, one cluster after the
 * other, more than its own workers can do at once; then one cluster loses all of its workers, and
 * nobody notices.
 *
 * The parts are those of the library, with heartbeats, retries and counters: docs/patterns/federation.md
 * has what they guarantee. Parts 1 and 2 show the flows by themselves, on raw sockets.
 *
 *   deno run --allow-net examples/guide/peering3.ts
 *
 * or the same with `bun` or `node`. After peering3 of the ZeroMQ guide.
 *
 * @module
 */

import { FederatedBroker, FederatedClient, FederatedWorker } from "../../src/patterns/mod.ts";
import { sleep } from "./program.ts";

const NAMES = ["oslo", "rome", "lima"];
const WORKERS = 5;
const BURST = 12;
const WORK_MS = 20;
const ANY_PORT = "tcp://127.0.0.1:*";

async function openBroker(name: string): Promise<FederatedBroker> {
  const broker = new FederatedBroker({ name });
  await broker.bind({ clients: ANY_PORT, workers: ANY_PORT, cloud: ANY_PORT, state: ANY_PORT });
  return broker;
}

function openWorkers({ name, endpoints }: FederatedBroker): FederatedWorker[] {
  return Array.from({ length: WORKERS }, () => {
    const worker = new FederatedWorker({
      handler: async () => {
        await sleep(WORK_MS);
        return name;
      },
    });
    worker.connect(endpoints.workers!);
    return worker;
  });
}

/** Asks many times at once; in which clusters that was done. */
async function ask(broker: FederatedBroker): Promise<string> {
  const client = new FederatedClient();
  client.connect(broker.endpoints.clients!);
  const asked = Array.from({ length: BURST }, () => client.request("hello"));
  const places = (await Promise.all(asked)).map(String);
  await client.close();
  const counts = NAMES.map((name) =>
    `${places.filter((place) => place === name).length} in ${name}`
  );
  return `${broker.name}: ${places.length} requests answered: ${counts.join(", ")}`;
}

/** Waits until a broker knows that all workers of the other clusters are free. */
async function settled(broker: FederatedBroker): Promise<void> {
  const free = () => Object.values(broker.stats().peers).reduce((sum, peer) => sum + peer.free, 0);
  while (broker.stats().free < WORKERS || free() < WORKERS * (NAMES.length - 1)) await sleep(5);
}

const brokers = await Promise.all(NAMES.map(openBroker));
const workers = brokers.map(openWorkers);
for (const broker of brokers) {
  for (const { name, endpoints } of brokers) {
    if (name === broker.name) continue;
    broker.addPeer({ name, cloud: endpoints.cloud!, state: endpoints.state! });
  }
}

for (const broker of brokers) {
  await settled(broker);
  console.log(await ask(broker));
}

const [oslo] = brokers;
await Promise.all(workers[0].map((worker) => worker.close()));
while (oslo.stats().workers > 0) await sleep(5);
console.log("oslo has no workers any more");
console.log(await ask(oslo));

await Promise.all([...workers.flat(), ...brokers].map((part) => part.close()));
