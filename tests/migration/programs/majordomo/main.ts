// Majordomo: clients order from services by name, a broker finds workers for them.

import { Request } from "zeromq";
import { anywhere } from "../address.ts";
import { Broker } from "./broker.ts";
import { Worker } from "./worker.ts";

const ORDERS = [
  ["soda", "cola"],
  ["tea", "oolong"],
  ["tea", "sencha"],
  ["tea", "earl grey", "milk"],
  ["tea", "jasmine"],
  ["coffee", "cappuccino"],
  ["coffee", "latte", "soy milk"],
  ["coffee", "espresso"],
];

async function order(address: string, service: string, parts: string[]): Promise<string> {
  const socket = new Request({ receiveTimeout: 5000 });
  socket.connect(address);
  await socket.send(["MDPC01", service, ...parts]);
  const [, from, ...served] = await socket.receive();
  socket.close();
  return `${from}: ${served.join(", ")}`;
}

async function orderWhatNobodyServes(address: string): Promise<string> {
  const socket = new Request({ receiveTimeout: 50, linger: 0 });
  socket.connect(address);
  await socket.send(["MDPC01", "beer", "lager"]);
  try {
    return String(await socket.receive());
  } catch (error) {
    return `beer: ${(error as { code?: string }).code}`;
  } finally {
    socket.close();
  }
}

const broker = new Broker();
await broker.bind(anywhere("broker"));
const brokering = broker.run();
const workers = ["soda", "tea", "coffee", "tea"].map((name) => new Worker(broker.address, name));
const working = workers.map((worker) => worker.run());

const served = await Promise.all(
  ORDERS.map(([service, ...parts]) => order(broker.address, service, parts)),
);
for (const line of served) console.log(line);
console.log(await orderWhatNobodyServes(broker.address));

await Promise.all(workers.map((worker) => worker.stop()));
await Promise.all(working);
broker.stop();
await brokering;
console.log(broker.summary.map((line) => line.replace(/, \d+ idle.*/, "")).join("; "));
