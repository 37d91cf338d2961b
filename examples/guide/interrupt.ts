/**
 * A clean exit on Ctrl-C.
 *
 * The signal handler does nothing but abort; whoever waits gives up, and everything is closed in
 * order. `close` resolves when all that was accepted has left, so a reply under way still arrives;
 * cancelling `receive` loses no message. The same signal can stop timers, `poll` and `fetch`.
 *
 *   deno run --allow-net examples/guide/interrupt.ts [--forever]
 *
 * or the same with `bun` or `node`. Without --forever it interrupts itself after a second. After
 * interrupt of the ZeroMQ guide.
 *
 * @module
 */

import { Reply, Request } from "../../mod.ts";
import { forever, sleep } from "./program.ts";

// All three runtimes have Node's global.
declare const process: {
  readonly pid: number;
  once(signal: "SIGINT" | "SIGTERM", listener: (name: string) => void): void;
};

/** Answers until the signal; how many answers that were. */
async function serve(server: Reply, signal: AbortSignal): Promise<number> {
  for (let answers = 0;; answers++) {
    try {
      const [request] = await server.receive({ signal });
      await server.send(`${request} World`);
    } catch (error) {
      if (signal.aborted) return answers;
      throw error;
    }
  }
}

/** Asks until the signal. */
async function ask(client: Request, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await client.send("Hello");
    await client.receive({ signal }).catch((error) => {
      if (!signal.aborted) throw error;
    });
    await sleep(10);
  }
}

const stop = new AbortController();
process.once("SIGINT", () => stop.abort("Ctrl-C"));
process.once("SIGTERM", () => stop.abort("SIGTERM"));
if (!forever) setTimeout(() => stop.abort("nobody pressed Ctrl-C"), 1000);

const server = new Reply();
await server.bind("tcp://127.0.0.1:*");
const client = new Request({ linger: 0 }); // a request that nobody answers any more may be lost
client.connect(server.lastEndpoint!);

const serving = serve(server, stop.signal);
const asking = ask(client, stop.signal);
console.log(`process ${process.pid} serves on ${server.lastEndpoint}; end it with Ctrl-C`);

const answers = await serving;
await asking;
console.log(`\n${stop.signal.reason}: closing`);
await client.close();
await server.close();
console.log(`${answers > 0 ? "clients were answered" : "nobody asked"}, everything is closed`);
