/**
 * The ventilator with a kill signal: whoever knows that the work is done tells the workers.
 *
 * A PUSH cannot tell every worker something: each message goes to one of them. So the sink, which
 * alone knows when the last result has come, has a PUB socket beside it; every worker subscribes to
 * that and ends itself on the signal. `poll` waits for whichever comes first, a task or the end.
 *
 *   deno run --allow-net examples/guide/ventilator_kill.ts
 *
 * or the same with `bun` or `node`. After taskwork2 and tasksink2 of the ZeroMQ guide.
 *
 * @module
 */

import { poll, Publisher, Pull, Push, Subscriber } from "../../mod.ts";
import { sleep } from "./program.ts";

const TASKS = 60;
const NAMES = ["Ada", "Ben", "Cleo"];
const LONGEST_MS = 20;

/** Works on tasks until the kill signal comes. */
async function work(name: string, from: string, to: string, control: string): Promise<void> {
  const tasks = new Pull();
  tasks.connect(from);
  const results = new Push();
  results.connect(to);
  const signals = new Subscriber();
  signals.connect(control);
  signals.subscribe("KILL");

  let count = 0;
  while (!signals.readable) {
    const [ready] = await poll([tasks, signals]);
    if (ready.socket !== tasks) continue;
    const [ms] = await tasks.receive();
    await sleep(Number(ms.toString())); // the work
    await results.send(name);
    count++;
  }
  console.log(`${name}: killed after ${count} tasks`);
  await Promise.all([tasks, results, signals].map((socket) => socket.close()));
}

/** Collects all results, then kills the workers. */
async function collect(results: Pull, control: Publisher): Promise<void> {
  for (let count = 0; count < TASKS; count++) await results.receive();
  console.log(`sink: has ${TASKS} results`);
  await control.send("KILL");
}

const ventilator = new Push();
await ventilator.bind("tcp://127.0.0.1:*");
const sink = new Pull();
await sink.bind("tcp://127.0.0.1:*");
const control = new Publisher();
await control.bind("tcp://127.0.0.1:*");

const [from, to, signals] = [ventilator, sink, control].map((socket) => socket.lastEndpoint!);
const working = NAMES.map((name) => work(name, from, to, signals));
const connected = () => ventilator.stats().peers.filter((peer) => peer.connected).length;
const subscribed = () => control.stats().peers.filter((peer) => peer.subscriptions > 0).length;
while (connected() < NAMES.length || subscribed() < NAMES.length) await sleep(1);

const collecting = collect(sink, control);
for (let task = 0; task < TASKS; task++) {
  await ventilator.send(1 + Math.floor(Math.random() * LONGEST_MS));
}
await collecting;
await Promise.all(working);
await Promise.all([ventilator, sink, control].map((socket) => socket.close()));
