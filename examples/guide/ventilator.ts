/**
 * Divide and conquer: a ventilator, workers, and a sink.
 *
 * The ventilator pushes tasks, which its workers get in turn; they push results, which the sink
 * collects from all of them. Neither end counts the workers: start more, and it is done sooner. A
 * PUSH socket gives its messages to whom it knows, so the ventilator waits until everybody is
 * connected; else the first worker would get the lot.
 *
 *   deno run --allow-net examples/guide/ventilator.ts
 *
 * or the same with `bun` or `node`. After taskvent, taskwork and tasksink of the ZeroMQ guide.
 *
 * @module
 */

import { Pull, Push } from "../../mod.ts";
import { sleep } from "./program.ts";

const TASKS = 100;
const LONGEST_MS = 20;

/** Works on tasks until it is closed; how many that were. */
async function work(tasks: Pull, results: Push): Promise<number> {
  let count = 0;
  for await (const [ms] of tasks) {
    await sleep(Number(ms.toString())); // the work
    await results.send(null); // a result: an empty message is enough
    count++;
  }
  return count;
}

/** Sends the tasks to so many workers, and tells how long it took until all of them were done. */
async function conquer(workers: number): Promise<void> {
  const ventilator = new Push();
  await ventilator.bind("tcp://127.0.0.1:*");
  const sink = new Pull();
  await sink.bind("tcp://127.0.0.1:*");

  const crew = Array.from({ length: workers }, () => ({ tasks: new Pull(), results: new Push() }));
  const working = crew.map(({ tasks, results }) => {
    tasks.connect(ventilator.lastEndpoint!);
    results.connect(sink.lastEndpoint!);
    return work(tasks, results);
  });
  const connected = () => ventilator.stats().peers.filter((peer) => peer.connected).length;
  while (connected() < workers) await sleep(1);

  const start = performance.now();
  let total = 0;
  for (let task = 0; task < TASKS; task++) {
    const ms = 1 + Math.floor(Math.random() * LONGEST_MS);
    total += ms;
    await ventilator.send(ms);
  }
  for (let results = 0; results < TASKS; results++) await sink.receive();
  const took = Math.round(performance.now() - start);

  await Promise.all(crew.flatMap(({ tasks, results }) => [tasks.close(), results.close()]));
  await Promise.all([ventilator.close(), sink.close()]);
  const shares = (await Promise.all(working)).join(", ");
  console.log(`${total} ms of work took ${workers} workers ${took} ms; tasks of each: ${shares}`);
}

await conquer(2);
await conquer(10);
