// A Jupyter kernel for TypeScript and JavaScript. Jupyter starts it, by the kernelspec that install.ts writes:
//
//   deno run -A examples/apps/jupyter/kernel.ts CONNECTION_FILE
//   node examples/apps/jupyter/kernel.ts CONNECTION_FILE

import { readFile } from "node:fs/promises";
import process from "node:process";
import { Channels } from "./channels.ts";
import { parseConnection } from "./connection.ts";
import { Kernel } from "./server.ts";

/** How often it is looked whether the program that started the kernel is still there. */
const PARENT_INTERVAL_MS = 1_000;

const tell = (line: string): void => void process.stderr.write(`[wasmq kernel] ${line}\n`);

const [file] = process.argv.slice(2);
if (file === undefined) {
  tell("usage: kernel.ts CONNECTION_FILE");
  process.exit(2);
}
try {
  const channels = new Channels(parseConnection(await readFile(file, "utf8")), tell);
  await channels.bind();
  const kernel = new Kernel(channels);
  process.on("SIGINT", () => void kernel.interrupt());
  process.on("SIGTERM", () => kernel.end());
  watchParent(() => kernel.end());
  await kernel.run();
  process.exit(0);
} catch (error) {
  tell(error instanceof Error ? error.stack ?? error.message : String(error));
  process.exit(1);
}

/** Jupyter gives its own process id: nobody else would end a kernel that it left behind. */
function watchParent(gone: () => void): void {
  const parent = Number(process.env.JPY_PARENT_PID);
  if (!(parent > 1)) return;
  setInterval(() => {
    try {
      process.kill(parent, 0);
    } catch (error) {
      if ((error as { code?: string }).code === "ESRCH") gone();
    }
  }, PARENT_INTERVAL_MS).unref();
}
