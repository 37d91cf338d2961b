/**
 * Two sockets, and a clock: whoever is ready is served.
 *
 * `poll` waits until one of several sockets has a message, or until time is up, and takes nothing
 * from any of them: it is the counterpart of `zmq_poll`. Tasks go first here, as long as there are
 * some; a loop for each socket would serve both alike. When nothing comes for a while, it is over.
 *
 *   deno run --allow-net examples/guide/poller.ts
 *
 * or the same with `bun` or `node`. After mspoller of the ZeroMQ guide.
 *
 * @module
 */

import { poll, Publisher, Pull, Push, Subscriber } from "../../mod.ts";
import { sleep } from "./program.ts";

const TASKS = 10;
const UPDATES = 10;
const QUIET_MS = 500;

const ventilator = new Push();
await ventilator.bind("tcp://127.0.0.1:*");
const station = new Publisher();
await station.bind("tcp://127.0.0.1:*");

const tasks = new Pull();
tasks.connect(ventilator.lastEndpoint!);
const weather = new Subscriber();
weather.connect(station.lastEndpoint!);
weather.subscribe("10001 ");

async function ventilate(): Promise<void> {
  for (let number = 1; number <= TASKS; number++) {
    await ventilator.send(`task ${number}`);
    await sleep(5);
  }
}

async function report(): Promise<void> {
  while (station.topicsCount === 0) await sleep(1); // nobody listens yet
  for (let number = 1; number <= UPDATES; number++) {
    await station.send(`10001 ${20 + number} °C`);
    await station.send(`10002 ${10 + number} °C`); // for somebody else
    await sleep(5);
  }
}

const sending = [ventilate(), report()];
let looks = 0;
for (;;) {
  const ready = await poll([tasks, weather], { timeout: QUIET_MS });
  if (ready.length === 0) break;
  looks++;
  const isReady = (socket: Pull | Subscriber) => ready.some((item) => item.socket === socket);
  if (isReady(tasks)) {
    const [task] = await tasks.receive();
    console.log(`worked on ${task}`);
  } else if (isReady(weather)) {
    const [update] = await weather.receive();
    console.log(`heard of ${update}`);
  }
}
console.log(`nothing for ${QUIET_MS} ms; looked ${looks} times`);

await Promise.all(sending);
await Promise.all([ventilator, station, tasks, weather].map((socket) => socket.close()));
