// A producer hands out pieces of work, a worker takes them in order.

import { Pull, Push } from "zeromq";
import { anywhere } from "./address.ts";

async function produce(socket: Push): Promise<void> {
  for (let piece = 1; piece <= 10; piece++) await socket.send(`piece ${piece}`);
  await socket.send(["that", "was", "all"]);
}

async function work(socket: Pull): Promise<void> {
  for await (const [piece, ...more] of socket) {
    console.log("work: %s", [piece, ...more].join(" "));
    if (more.length > 0) break;
  }
}

const producer = new Push();
await producer.bind(anywhere("work"));
const worker = new Pull();
worker.connect(producer.lastEndpoint!);

await Promise.all([work(worker), produce(producer)]);
producer.close();
worker.close();
console.log(producer.closed, worker.closed);
