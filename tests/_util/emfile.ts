// A program that runs out of file descriptors and gets over it. Usage: emfile.ts ENDPOINT

import { Pull, Push, Reply } from "../../mod.ts";

interface FileSystem {
  openSync(path: string, flags: string): number;
  closeSync(file: number): void;
}

const { process } = globalThis as unknown as {
  process: { argv: string[]; getBuiltinModule(name: "node:fs"): FileSystem };
};
const { openSync, closeSync } = process.getBuiltinModule("node:fs");
const endpoint = process.argv[2];
const files: number[] = [];

function say(...words: unknown[]): void {
  // deno-lint-ignore no-console
  console.log(words.map(String).join(" "));
}

/** Opens files until there is no descriptor left. */
function exhaust(): void {
  try {
    for (;;) files.push(openSync("/dev/null", "r"));
  } catch (error) {
    if ((error as { code?: string }).code !== "EMFILE") throw error;
  }
}

function recover(): void {
  for (const file of files.splice(0)) closeSync(file);
}

function failure(error: { code?: string; address?: string }): string {
  return `${error.code} ${error.address}`;
}

const pull = new Pull();
await pull.bind("tcp://127.0.0.1:*");
const reply = new Reply();
await reply.bind("tcp://127.0.0.1:*");
const push = new Push({ reconnectInterval: 20 });
// One connection stands before the trouble.
say("reply", reply.lastEndpoint);
say("request", await reply.receive());
exhaust();
say("bind", await new Pull().bind("tcp://127.0.0.1:*").then(() => "worked", failure));
say("bind", await pull.bind("tcp://127.0.0.1:*").then(() => "worked", failure));
push.connect(endpoint);
await push.send("through");
await reply.send("served all the same");
// The test connects to it now, and a second is time for many failing attempts on both sides.
say("pull", pull.lastEndpoint);
await new Promise((resolve) => setTimeout(resolve, 500));
recover();
say("recovered");
say("received", await pull.receive());
say("bind", await pull.bind("tcp://127.0.0.1:*").then(() => "worked", failure));
await push.close();
await Promise.all([pull.close(), reply.close()]);
