// A server as a process of its own that can be killed and frozen: it answers `[name, request]` after so many milliseconds.
//
//   server.ts flp|shotgun|rep NAME ENDPOINT DELAY

import { Reply } from "../../../../mod.ts";
import { FreelanceServer, ShotgunServer } from "../../../../src/patterns/freelance/mod.ts";
import { pause } from "../../../_util/deadline.ts";
import { endWithTest } from "../../../_util/lifeline.ts";

const { process } = globalThis as unknown as {
  process: {
    readonly argv: readonly string[];
    readonly pid: number;
  };
};
const REBIND_MS = 10_000;
const [model, name, endpoint, delay] = process.argv.slice(2);

endWithTest();

/** A port that a killed process held can take a moment to become free. */
async function bind(server: { bind(address: string): Promise<void> }): Promise<void> {
  const deadline = performance.now() + REBIND_MS;
  for (;;) {
    try {
      return await server.bind(endpoint);
    } catch (error) {
      const { code } = error as { code?: string };
      if (code !== "EADDRINUSE" || performance.now() > deadline) throw error;
      await pause(20);
    }
  }
}

function ready(bound: string): void {
  console.log(`ready ${process.pid} ${bound} ready`);
}

let begun = 0;

async function work([request]: Uint8Array[]): Promise<(string | Uint8Array)[]> {
  if (begun++ === 0) console.log("begun");
  await pause(Number(delay));
  return [name, request];
}

if (model === "rep") {
  const reply = new Reply();
  await bind(reply);
  ready(reply.lastEndpoint!);
  for await (const request of reply) await reply.send(await work(request));
} else {
  const server = model === "flp"
    ? new FreelanceServer({ handler: work })
    : new ShotgunServer({ handler: work });
  await bind(server);
  ready(server.endpoint!);
}
