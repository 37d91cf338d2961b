/**
 * Workers that come and go, and no task is lost.
 *
 * A PUSH socket hands out tasks and forgets them: what a worker has when it dies is gone, and a new
 * worker waits until the others' queues are full. This gateway gives each worker as many tasks as it
 * wants at a time, its credit, and remembers each one until it is done. Here one worker becomes
 * three; one is sent home and one vanishes in the middle of its work.
 *
 *   deno run --allow-net examples/guide/elastic_push.ts
 *
 * or the same with `bun` or `node`. The ZeroMQ guide has no program for this.
 *
 * @module
 */

import { Dealer } from "../../mod.ts";
import { GatewayWorker, PushGateway } from "../../src/patterns/mod.ts";
import { sleep } from "./program.ts";

const TASKS = 1000;

const gateway = new PushGateway({ heartbeatInterval: 100, maxBuffer: 50 });
await gateway.bind("tcp://127.0.0.1:*");
const endpoint = gateway.lastEndpoint!;
gateway.events.on("worker", ({ name }) => console.log(`gateway: ${name} came`));
gateway.events.on("left", ({ name }) => console.log(`gateway: ${name} left`));
gateway.events.on(
  "lost",
  ({ name, returned }) => console.log(`gateway: ${name} vanished, ${returned} tasks go to others`),
);

const times = new Map<string, number>();

function hire(name: string): GatewayWorker {
  const handler = async ([task]: Uint8Array[]): Promise<void> => {
    await sleep(2); // something that takes time
    times.set(`${task}`, (times.get(`${task}`) ?? 0) + 1);
  };
  return new GatewayWorker({ endpoint, name, credit: 8, concurrency: 4, handler });
}

/** Takes tasks, does none, and is gone. */
async function vanish(): Promise<void> {
  const dealer = new Dealer({ linger: 0 });
  dealer.connect(endpoint);
  await dealer.send([new Uint8Array([1]), "EPG1", new Uint8Array([0, 0, 0, 5]), "Dan"]);
  for (let tasks = 0; tasks < 5;) if ((await dealer.receive()).length > 1) tasks++;
  await dealer.close();
}

async function produce(): Promise<void> {
  for (let task = 1; task <= TASKS; task++) await gateway.send(`task ${task}`);
}

const ada = hire("Ada");
const producing = produce();
while (gateway.stats().workers < 1) await sleep(1);
const ben = hire("Ben");
const cleo = hire("Cleo");
while (gateway.stats().workers < 3) await sleep(1);
await vanish();
const { id } = gateway.workers().find(({ name }) => name === "Ada")!;
await gateway.drain(id);
console.log(`Ada is ${ada.closed ? "closed" : "open"}`);

await producing;
await gateway.idle();
const once = [...times.values()].filter((count) => count === 1).length;
console.log(`${times.size} of ${TASKS} tasks are done, ${once} of them once`);
await ben.close();
await cleo.close();
await gateway.close();
