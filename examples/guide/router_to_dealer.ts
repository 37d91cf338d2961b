/**
 * From ROUTER to DEALER: the same for workers that do not take turns.
 *
 * A DEALER may send whenever it likes, so a worker can ask for its next tasks before it has done
 * the last one, and never waits for the network. It adds no empty frame and takes none off: these
 * workers write it themselves, and then the broker need not know whether it talks to a REQ or to a
 * DEALER.
 *
 *   deno run --allow-net examples/guide/router_to_dealer.ts
 *
 * or the same with `bun` or `node`. After rtdealer of the ZeroMQ guide.
 *
 * @module
 */

import { Dealer, Router } from "../../mod.ts";
import { sleep } from "./program.ts";

const WORK_MS = { hare: 2, horse: 10, tortoise: 50 };
const AHEAD = 2;
const TASKS = 100;

/** Keeps two tasks coming until it is fired. */
async function work(name: string, address: string, ms: number): Promise<void> {
  const worker = new Dealer({ routingId: name });
  worker.connect(address);
  for (let asked = 0; asked < AHEAD; asked++) await worker.send(["", "ready"]);
  let tasks = 0;
  for (let fired = 0; fired < AHEAD;) {
    const [, task] = await worker.receive();
    if (task.toString() === "fired") {
      fired++; // one for each time that it asked
      continue;
    }
    await worker.send(["", "ready"]); // the next one comes while it works
    await sleep(ms); // the work
    tasks++;
  }
  console.log(`${name} did ${tasks} tasks`);
  await worker.close();
}

const broker = new Router();
await broker.bind("tcp://127.0.0.1:*");
const names = Object.entries(WORK_MS);
const working = names.map(([name, ms]) => work(name, broker.lastEndpoint!, ms));

let tasks = 0;
for (let fired = 0; fired < AHEAD * names.length;) {
  const [worker] = await broker.receive(); // and an empty frame, and "ready"
  if (tasks < TASKS) {
    await broker.send([worker, "", `task ${++tasks}`]);
  } else {
    await broker.send([worker, "", "fired"]);
    fired++;
  }
}
await Promise.all(working);
console.log(`${tasks} tasks in all`);
await broker.close();
