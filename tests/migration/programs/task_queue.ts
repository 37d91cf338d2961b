// A task queue: a ROUTER gives the next task to the DEALER that is ready for one.

import { Dealer, type Message, Router } from "zeromq";
import { anywhere } from "./address.ts";

const WORKERS = ["ada", "ben", "cleo"];
const TASKS = 30;

async function work(name: string, address: string): Promise<void> {
  const socket = new Dealer({ routingId: name, linger: -1 });
  socket.connect(address);
  await socket.send(["ready"]);
  for await (const [command, number] of socket) {
    if (command.toString() === "stop") break;
    const n = Number(number.toString());
    await socket.send(["done", number, `${n * n}`]);
  }
  socket.close();
}

async function distribute(router: Router): Promise<string[]> {
  const results: string[] = [];
  let task = 0;
  let stopped = 0;
  while (stopped < WORKERS.length) {
    const [worker, status, number, result] = await router.receive() as Message[];
    if (status.toString() === "done") results[Number(number.toString())] = result.toString();
    if (task < TASKS) {
      await router.send([worker, "task", task++]);
    } else {
      await router.send([worker, "stop"]);
      stopped++;
    }
  }
  return results;
}

const router = new Router({ mandatory: true });
await router.bind(anywhere("tasks"));
const address = router.lastEndpoint!;
const working = WORKERS.map((name) => work(name, address));
console.log((await distribute(router)).join(" "));
await Promise.all(working);
router.close();
