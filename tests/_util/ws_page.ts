// A page of Chromium with our sockets, driven as a process is.

import { Chromium } from "./chromium.ts";
import type { Peer } from "./peer.ts";
import type { DrivenSockets } from "./ws_ends.ts";
import type { Library } from "./ws_ours.ts";
import { driveBy } from "./ws_programs.ts";

interface ProcessGlobal {
  getBuiltinModule(name: "node:child_process"): {
    execFileSync(command: string, args: readonly string[], options: object): string;
  };
}

/** The page's globals. */
interface Place {
  driven: DrivenSockets;
}

const { process } = globalThis as unknown as { process: ProcessGlobal };
const PROGRAM = "/driven.js";

/** Starts the browser with one page; end both with `stop`. */
export async function startPage(): Promise<Peer> {
  const browser = await Chromium.start({ [PROGRAM]: bundle() });
  try {
    const page = await browser.open();
    await page.run(async (wasmq, path) => {
      const { drive } = await import(path) as { drive(library: Library): DrivenSockets };
      (globalThis as unknown as Place).driven = drive(wasmq);
    }, PROGRAM);
    return driveBy(
      (line) => page.run((_, line) => (globalThis as unknown as Place).driven.answer(line), line),
      () => browser.stop(),
    );
  } catch (error) {
    await browser.stop();
    throw error;
  }
}

function bundle(): string {
  const pathOf = (name: string): string => new URL(name, import.meta.url).pathname;
  return process.getBuiltinModule("node:child_process").execFileSync(
    pathOf("../../node_modules/.bin/esbuild"),
    [
      pathOf("./ws_page_program.ts"),
      "--bundle",
      "--format=esm",
      "--platform=browser",
      "--target=es2022",
      "--log-level=warning",
    ],
    { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] },
  );
}
