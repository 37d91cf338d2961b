/**
 * A relay: three steps that tell each other when they are ready.
 *
 * The guide's relay has a thread for each step, and the steps wait for each other by PAIR sockets
 * over inproc. Here each step is an async function: the signals are the same, and nobody shares a
 * variable. Step one connects before step two binds: inproc takes either order.
 *
 *   deno run examples/guide/relay.ts
 *
 * or the same with `bun` or `node`. After mtrelay of the ZeroMQ guide.
 *
 * @module
 */

import { Pair } from "../../mod.ts";

async function signal(address: string, text: string): Promise<void> {
  const next = new Pair();
  next.connect(address);
  await next.send(text);
  await next.close();
}

async function wait(address: string): Promise<string> {
  const previous = new Pair();
  await previous.bind(address);
  const [text] = await previous.receive();
  await previous.close();
  return text.toString();
}

async function step1(): Promise<void> {
  console.log("step 1: ready, telling step 2");
  await signal("inproc://step2", "one");
}

async function step2(): Promise<void> {
  const heard = await wait("inproc://step2");
  console.log(`step 2: heard "${heard}", telling step 3`);
  await signal("inproc://step3", `${heard}, two`);
}

const steps = [step1(), step2()];
console.log(`step 3: heard "${await wait("inproc://step3")}", that is everybody`);
await Promise.all(steps);
