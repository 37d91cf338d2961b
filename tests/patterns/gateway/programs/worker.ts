// A worker in a process of its own: worker.ts ENDPOINT FILE NAME. It writes the number of each item to the file when it has done it,
// in a way that a kill cannot take back, and ends when it was drained.

import { GatewayWorker } from "../../../../src/patterns/gateway/mod.ts";

interface FileSystem {
  openSync(path: string, flags: string): number;
  writeSync(file: number, text: string): number;
}

const { process } = globalThis as unknown as {
  process: {
    readonly argv: readonly string[];
    readonly pid: number;
    getBuiltinModule(name: "node:fs"): FileSystem;
  };
};

const [, , endpoint, path, name, interval, liveness] = process.argv;
const fs = process.getBuiltinModule("node:fs");
const file = fs.openSync(path, "a");

const worker = new GatewayWorker({
  endpoint,
  name,
  heartbeatInterval: Number(interval),
  heartbeatLiveness: Number(liveness),
  credit: 20,
  concurrency: 5,
  handler: async ([item]) => {
    await new Promise((resolve) => setTimeout(resolve, 1));
    fs.writeSync(file, `${item}\n`);
  },
});
worker.events.on("joined", () => console.log(`joined ${process.pid}`));
