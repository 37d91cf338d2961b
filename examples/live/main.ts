/**
 * A pipeline and its machine, live in a page: a ZeroMQ socket there subscribes to the figures over a
 * WebSocket, another one sends commands back.
 *
 *   deno run -A examples/live/main.ts [--port 8700] [--host 127.0.0.1] [--workers 3] …
 *
 * @module
 */

import type { Command } from "./commands.ts";
import { Hub } from "./hub.ts";
import { Machine } from "./machine.ts";
import { type Options, parseOptions, USAGE } from "./options.ts";
import { type HubEndpoints, Part } from "./part.ts";
import { readPage, Server } from "./server.ts";
import type { SourceStart } from "./source.ts";
import { TICK_MS } from "./topics.ts";
import type { WorkerStart } from "./worker.ts";

function startThread(program: string): Worker {
  return new Worker(new URL(program, import.meta.url), { type: "module" });
}

/** Starts the source and its workers, each in a thread. */
async function startPipeline(options: Options, hub: HubEndpoints): Promise<void> {
  const source = startThread("./source.ts");
  const endpoint = await new Promise<string>((resolve) => {
    source.onmessage = ({ data }) => resolve(data);
    source.postMessage({ hub, rate: options.rate, size: options.size } satisfies SourceStart);
  });
  for (let number = 1; number <= options.workers; number++) {
    startThread("./worker.ts").postMessage(
      { name: `worker-${number}`, hub, source: endpoint } satisfies WorkerStart,
    );
  }
}

/** The part of the main thread: what the machine does, and what pages have missed. */
function startLive(hub: Hub, endpoints: HubEndpoints): void {
  const machine = new Machine();
  const part = new Part("live", endpoints, (command: Command) => {
    if (command.do === "ping") return true;
    if (command.do !== "history") throw new Error(`This part cannot ${command.do}`);
    return hub.archive.all();
  });
  setInterval(() => {
    part.publish("machine.cpu", machine.cpu());
    part.publish("machine.memory", machine.memory());
    part.publish("server.pages", hub.pages());
  }, TICK_MS);
}

async function main(): Promise<void> {
  const options = parseOptions(Deno.args);
  const files = await readPage();
  const hub = new Hub();
  const endpoints = await hub.start();
  await startPipeline(options, endpoints);
  startLive(hub, endpoints);
  const page = new Server(hub, files).listen(options.host, options.port);
  console.log(`The page is at ${page}`);
}

try {
  await main();
} catch (error) {
  console.error(`${(error as Error).message}\nUsage: main.ts ${USAGE}`);
  Deno.exit(2);
}
