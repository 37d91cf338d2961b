// The worker's program, written once for two libraries: wasmq and zeromq.js have the same API.
// It runs unchanged on Deno, Bun and Node.

import { countWords } from "./words.ts";
import type { Order, Report } from "./protocol.ts";

// All three runtimes have Node's global.
declare const process: {
  readonly argv: readonly string[];
  on(signal: "SIGINT", listener: () => void): void;
};

/** The part of a ZeroMQ library that a worker needs. */
export interface Library {
  readonly Pull: new (options: { receiveHighWaterMark: number }) => Receiver;
  readonly Push: new (options: { sendHighWaterMark: number; linger: number }) => Sender;
  readonly Request: new (
    options: { sendTimeout: number; receiveTimeout: number; linger: number },
  ) => Requester;
}

interface Connectable {
  connect(address: string): void;
  close(): unknown;
}

interface Receiver extends Connectable, AsyncIterable<Uint8Array[]> {}

interface Sender extends Connectable {
  send(message: (string | Uint8Array)[]): Promise<void>;
}

interface Requester extends Connectable {
  send(message: string): Promise<void>;
  receive(): Promise<Uint8Array[]>;
}

const REPORT_INTERVAL_MS = 100;

// A worker whose control channel is silent for so long is an orphan and ends.
const CONTROL_TIMEOUT_MS = 10_000;

/** Counts chunks until the control channel says stop. Arguments: name, tasks, results, control. */
export async function work(library: Library): Promise<void> {
  const [name, tasksAddress, resultsAddress, controlAddress] = process.argv.slice(2);
  // Ctrl-C reaches every process of the terminal; it is the ventilator that decides when to stop.
  process.on("SIGINT", () => {});

  // A short queue here keeps the chunks where a faster worker can have them.
  const tasks = new library.Pull({ receiveHighWaterMark: 2 });
  const results = new library.Push({ sendHighWaterMark: 10, linger: 0 });
  const control = new library.Request({
    sendTimeout: CONTROL_TIMEOUT_MS,
    receiveTimeout: CONTROL_TIMEOUT_MS,
    linger: 0,
  });
  tasks.connect(tasksAddress);
  results.connect(resultsAddress);
  control.connect(controlAddress);

  let chunks = 0;
  let stopped = false;

  async function count(): Promise<void> {
    try {
      for await (const [id, text] of tasks) {
        await results.send([id, name, JSON.stringify([...countWords(text)])]);
        chunks++;
      }
    } catch (error) {
      // Closing the sockets below ends what they were doing.
      if (!stopped) throw error;
    }
  }

  async function report(): Promise<void> {
    for (let event: Report["event"] = "ready";; event = "progress") {
      await control.send(JSON.stringify({ worker: name, event, chunks } satisfies Report));
      const [order] = await control.receive();
      if (new TextDecoder().decode(order) as Order === "stop") return;
      await new Promise((resolve) => setTimeout(resolve, REPORT_INTERVAL_MS));
    }
  }

  const counting = count();
  try {
    await Promise.race([report(), counting]);
  } finally {
    stopped = true;
    await Promise.all([tasks.close(), results.close(), control.close()]);
  }
  await counting;
}
