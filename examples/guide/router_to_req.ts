/**
 * From ROUTER to REQ: work for those who ask for it.
 *
 * A PUSH or DEALER deals in turn, whether a worker is busy or not. Here the workers ask: a REQ says
 * that it is ready, and the answer is its next task. So the broker always answers who has waited
 * longest, and a fast worker gets more to do than a slow one. What it sends to a REQ is the
 * worker's name, the empty frame that ends the envelope, and the task.
 *
 *   deno run --allow-net examples/guide/router_to_req.ts
 *
 * or the same with `bun` or `node`. After rtreq of the ZeroMQ guide.
 *
 * @module
 */

import { Request, Router } from "../../mod.ts";
import { sleep } from "./program.ts";

const WORK_MS = { hare: 2, horse: 10, tortoise: 50 };
const TASKS = 100;

/** Asks for work until it is fired. */
async function work(name: string, address: string, ms: number): Promise<void> {
  const worker = new Request({ routingId: name });
  worker.connect(address);
  let tasks = 0;
  for (;;) {
    await worker.send("ready");
    const [task] = await worker.receive();
    if (task.toString() === "fired") break;
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
for (let fired = 0; fired < names.length;) {
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
