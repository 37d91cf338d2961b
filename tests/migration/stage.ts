// Runs the programs of this folder twice: as they are, with zeromq.js in a Node process, and with
// wasmq on this test's runtime, where the only change is the module that they import from.

import type { Transport } from "../_util/anywhere.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { commandFor, Program } from "../_util/process.ts";

interface FileSystem {
  cpSync(from: string, to: string, options: { recursive: true }): void;
  existsSync(path: string): boolean;
  mkdtempSync(prefix: string): string;
  readdirSync(path: string, options?: { recursive: true }): string[];
  readFileSync(path: string, encoding: "utf8"): string;
  rmSync(path: string, options: { recursive: true }): void;
  writeFileSync(path: string, text: string): void;
}

interface OperatingSystem {
  tmpdir(): string;
}

const { process } = globalThis as unknown as {
  process: {
    readonly versions: Readonly<Record<string, string | undefined>>;
    readonly execPath: string;
    getBuiltinModule(name: "node:fs"): FileSystem;
    getBuiltinModule(name: "node:os"): OperatingSystem;
  };
};

const fs = process.getBuiltinModule("node:fs");
const PROGRAMS = new URL("./programs/", import.meta.url).pathname;
const MODULES = new URL("../../node_modules/", import.meta.url).pathname;
const MODULE = new URL("../../mod.ts", import.meta.url).href;

/** The programs with their imports changed, in a folder of their own. */
export class Stage {
  /** Where they are. */
  readonly folder: string;

  constructor() {
    const { tmpdir } = process.getBuiltinModule("node:os");
    this.folder = fs.mkdtempSync(`${tmpdir()}/migration-`);
    fs.cpSync(PROGRAMS, this.folder, { recursive: true });
    fs.writeFileSync(`${this.folder}/package.json`, `{ "type": "module" }\n`);
    for (const name of fs.readdirSync(this.folder, { recursive: true })) {
      if (!name.endsWith(".ts")) continue;
      const path = `${this.folder}/${name}`;
      const text = fs.readFileSync(path, "utf8");
      fs.writeFileSync(path, text.replace(/ from "zeromq";$/gm, ` from "${MODULE}";`));
    }
  }

  /** What a program prints with wasmq on this runtime. */
  run(name: string, transport: Transport = "tcp"): Promise<string> {
    const command = commandFor(name, [transport, this.folder]);
    return outputOf(command.map((word) => word.endsWith(name) ? `${this.folder}/${name}` : word));
  }

  /** What a program prints with zeromq.js on Node. */
  runWithZeromqJs(name: string, transport: Transport = "tcp"): Promise<string> {
    return outputOf([findNode(), PROGRAMS + name, transport, this.folder]);
  }

  /** Removes the folder. */
  destroy(): void {
    fs.rmSync(this.folder, { recursive: true });
  }
}

async function outputOf(command: readonly string[]): Promise<string> {
  const cleanup = new Cleanup();
  try {
    return await cleanup.add(new Program(command)).succeeds();
  } finally {
    await cleanup.run();
  }
}

/** A Node that runs TypeScript: of the installed ones the newest, else this one. */
function findNode(): string {
  const installed = fs.readdirSync(MODULES).filter((name) => /^node2[24]-/.test(name)).sort()
    .map((name) => `${MODULES}${name}/bin/node`).filter((path) => fs.existsSync(path));
  if (installed.length > 0) return installed[installed.length - 1];
  const isNode = !process.versions.bun && !process.versions.deno;
  return isNode ? process.execPath : "node";
}
