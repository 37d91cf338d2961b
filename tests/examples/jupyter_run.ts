// What the tests of the Jupyter kernel share: how it is started, and its clients.

import { Program } from "../_util/process.ts";

interface Builtins {
  readonly execPath: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly versions: Readonly<Record<string, string | undefined>>;
  getBuiltinModule(name: "node:child_process"): {
    spawnSync(command: string, args: readonly string[]): { readonly status: number | null };
  };
  getBuiltinModule(name: "node:fs"): {
    mkdirSync(path: string, options: { readonly recursive: boolean }): void;
    mkdtempSync(prefix: string): string;
    readdirSync(path: string): string[];
    rmSync(path: string, options: { readonly recursive: boolean; readonly force: boolean }): void;
    writeFileSync(path: string, text: string): void;
  };
  getBuiltinModule(name: "node:os"): { tmpdir(): string };
}

const { process, Deno, Bun } = globalThis as unknown as {
  process: Builtins;
  Deno?: object;
  Bun?: object;
};
const fs = process.getBuiltinModule("node:fs");
/** Just less than a hook may take: then the clients are ended with a reason. */
const CONVERSATION_MS = 55_000;

/** True where a computing cell is interrupted without the loss of all variables. */
export const keepsState: boolean = Deno === undefined && Bun === undefined;

/** The command that starts the kernel on this test's runtime. */
export const kernelCommand: readonly string[] = [
  process.execPath,
  ...(Deno ? ["run", "-A", "--no-check", "--no-config"] : []),
  new URL("../../examples/apps/jupyter/kernel.ts", import.meta.url).pathname,
  "{connection_file}",
];

/** A folder that is gone when the test is over. */
export class TemporaryFolder {
  readonly path: string = fs.mkdtempSync(
    `${process.getBuiltinModule("node:os").tmpdir()}/wasmq-jupyter-`,
  );

  /** Writes a file, and the folders that it is in. */
  write(name: string, text: string): void {
    const path = `${this.path}/${name}`;
    fs.mkdirSync(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    fs.writeFileSync(path, text);
  }

  /** Removes it. */
  remove(): void {
    fs.rmSync(this.path, { recursive: true, force: true });
  }
}

/** A Python that has Jupyter's client; undefined where there is none. */
export function findPython(): string | undefined {
  const { spawnSync } = process.getBuiltinModule("node:child_process");
  return ["/usr/bin/python3", "python3"].find((python) =>
    spawnSync(python, ["-c", "import jupyter_client"]).status === 0
  );
}

/** Node, on which libzmq is dependable. */
export function findNode(): string {
  if (keepsState) return process.execPath;
  const modules = new URL("../../node_modules/", import.meta.url).pathname;
  const name = fs.readdirSync(modules).find((entry) => /^node2[24]-/.test(entry));
  return name ? `${modules}${name}/bin/node` : "node";
}

/** Runs a client of this folder to its end; the JSON that it prints last. */
// deno-lint-ignore no-explicit-any
export async function converse(program: string, client: string, ...args: string[]): Promise<any> {
  const path = new URL(`./${client}`, import.meta.url).pathname;
  const run = new Program([program, path, ...args]);
  try {
    const output = await run.succeeds(CONVERSATION_MS);
    return JSON.parse(output.trim().split("\n").at(-1)!);
  } finally {
    await run.kill();
  }
}
