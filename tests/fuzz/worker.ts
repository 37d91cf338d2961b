// Where the cases run: a thread of its own, so that one that never ends can be told.

import { chosen, runRounds } from "./rounds.ts";
import type { Settings } from "./settings.ts";
import { unheard } from "./slice.ts";
import { TARGETS } from "./targets.ts";

interface Port {
  postMessage(message: unknown): void;
}

interface Threads {
  readonly parentPort: Port;
  readonly workerData: { readonly settings: Settings; readonly shared: SharedArrayBuffer };
}

const { process } = globalThis as unknown as {
  process: {
    getBuiltinModule(name: "node:worker_threads"): Threads;
    on(event: "unhandledRejection", listener: (reason: unknown) => void): void;
  };
};
const { parentPort, workerData } = process.getBuiltinModule("node:worker_threads");
const { settings, shared } = workerData;
const progress = new Uint32Array(shared);

process.on("unhandledRejection", (reason) => void unheard.push(reason));
globalThis.addEventListener?.("unhandledrejection", (event) => {
  event.preventDefault();
  unheard.push((event as unknown as { reason: unknown }).reason);
});

const findings = await runRounds(chosen(TARGETS, settings.targets), settings, {
  starting: (target, seed) => {
    progress[1] = target;
    progress[2] = seed;
    progress[0]++;
  },
  line: (text) => parentPort.postMessage({ text }),
  found: (finding) => parentPort.postMessage({ finding }),
});
parentPort.postMessage({ findings });
