// Workers and clients of wasmq in one process: prints how many round trips there were.

import process from "node:process";
import {
  MajordomoClient,
  MajordomoPipeline,
  MajordomoWorker,
} from "../../src/patterns/majordomo/mod.ts";
import { Count } from "./count.mjs";

const [endpoint, kind, ...numbers] = process.argv.slice(2);
const [clients, inFlight, workers, size, warmup, window] = numbers.map(Number);
const body = new Uint8Array(size);

for (let i = 0; i < workers; i++) {
  new MajordomoWorker({ endpoint, service: "echo", handler: (request) => request });
}
const count = new Count(warmup, window, (result: object) => {
  process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
});

/** Each request has its own reply. */
async function ask(client: MajordomoClient): Promise<void> {
  do await client.request("echo", body); while (count.replied());
}

/** Replies as they come: what the guide's asynchronous client does. */
async function pump(pipeline: MajordomoPipeline): Promise<void> {
  for (let i = 0; i < inFlight; i++) await pipeline.send("echo", body);
  for (;;) {
    await pipeline.receive();
    if (!count.replied()) return;
    pipeline.send("echo", body);
  }
}

for (let i = 0; i < clients; i++) {
  if (kind === "pipeline") {
    pump(new MajordomoPipeline({ endpoint }));
  } else {
    const client = new MajordomoClient({ endpoint, timeout: 10_000 });
    for (let k = 0; k < inFlight; k++) ask(client);
  }
}
