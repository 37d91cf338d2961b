/**
 * Two sockets, one loop that looks at each in turn and never waits for one of them.
 *
 * `tryReceive` answers at once, with a message or without. First come all tasks that are there,
 * then one update: so tasks go first. When there is neither, the loop has to let others run, and
 * sleeps a moment; that sleep is what a message may have to wait. `poller.ts` does the same without
 * it.
 *
 *   deno run --allow-net examples/guide/busy_polling.ts
 *
 * or the same with `bun` or `node`. After msreader of the ZeroMQ guide.
 *
 * @module
 */

import { Publisher, Pull, Push, Subscriber } from "../../mod.ts";
import { sleep } from "./program.ts";

const TASKS = 20;
const UPDATES = 10;
const PAUSE_MS = 1;

const ventilator = new Push();
await ventilator.bind("tcp://127.0.0.1:*");
const station = new Publisher();
await station.bind("tcp://127.0.0.1:*");

const tasks = new Pull();
tasks.connect(ventilator.lastEndpoint!);
const weather = new Subscriber();
weather.connect(station.lastEndpoint!);
weather.subscribe("10001 ");

while (station.topicsCount === 0) await sleep(1); // nobody listens yet
for (let number = 1; number <= TASKS; number++) await ventilator.send(`task ${number}`);
for (let number = 1; number <= UPDATES; number++) await station.send(`10001 ${20 + number} °C`);

let worked = 0;
let heard = 0;
let empty = 0;
while (worked < TASKS || heard < UPDATES) {
  let busy = false;
  for (let task = tasks.tryReceive(); task !== undefined; task = tasks.tryReceive()) {
    worked++;
    busy = true;
  }
  const update = weather.tryReceive();
  if (update !== undefined) {
    heard++;
    busy = true;
    console.log(`heard of ${update[0]}, after ${worked} tasks`);
  }
  if (!busy) {
    empty++;
    await sleep(PAUSE_MS);
  }
}
console.log(`${worked} tasks, ${heard} updates; looked ${empty} times when there was nothing`);

await Promise.all([ventilator, station, tasks, weather].map((socket) => socket.close()));
