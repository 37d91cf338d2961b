// Tells Jupyter of the kernel, by a kernelspec:
//
//   deno run -A examples/apps/jupyter/install.ts [--user | --prefix FOLDER | --sys-prefix] [--runtime deno|node|bun]

import { mkdir, writeFile } from "node:fs/promises";
import { homedir, platform } from "node:os";
import { basename, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const RUNTIMES = { deno: "Deno", node: "Node", bun: "Bun" };
const USAGE =
  "usage: install.ts [--user | --prefix FOLDER | --sys-prefix] [--runtime deno|node|bun]";

type RuntimeName = keyof typeof RUNTIMES;

/** What a kernelspec says, as Jupyter wants it. */
export interface KernelSpec {
  readonly argv: readonly string[];
  readonly display_name: string;
  readonly language: string;
  readonly interrupt_mode: "message";
  readonly env: Readonly<Record<string, string>>;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** The kernelspec for a runtime. */
export function kernelSpec(runtime: RuntimeName): KernelSpec {
  // The runtime that runs this is found by its path; another has to be on the PATH of who starts Jupyter.
  const here = basename(process.execPath).replace(/\.exe$/, "");
  const program = here === runtime ? process.execPath : runtime;
  // With a configuration of this folder, cells could not import packages by npm: and jsr:.
  const flags = runtime === "deno" ? ["run", "-A", "--no-config"] : [];
  const kernel = fileURLToPath(new URL("./kernel.ts", import.meta.url));
  return {
    argv: [program, ...flags, kernel, "{connection_file}"],
    display_name: `TypeScript (${RUNTIMES[runtime]}, wasmq)`,
    language: "typescript",
    interrupt_mode: "message",
    env: runtime === "deno" ? { DENO_NO_PACKAGE_JSON: "1" } : {},
    metadata: { debugger: false },
  };
}

/** The folder where Jupyter looks for kernelspecs. */
export function kernelsFolder(place: string | undefined): string {
  if (place !== undefined) return join(place, "share", "jupyter", "kernels");
  const { JUPYTER_DATA_DIR, XDG_DATA_HOME, APPDATA } = process.env;
  const data = JUPYTER_DATA_DIR || {
    darwin: join(homedir(), "Library", "Jupyter"),
    win32: join(APPDATA ?? homedir(), "jupyter"),
  }[platform() as string] || join(XDG_DATA_HOME || join(homedir(), ".local", "share"), "jupyter");
  return join(data, "kernels");
}

/** Writes the kernelspec; the folder that it is in. */
async function install(args: readonly string[]): Promise<string> {
  let place: string | undefined;
  let runtime: RuntimeName = process.versions.deno ? "deno" : process.versions.bun ? "bun" : "node";
  for (let i = 0; i < args.length; i++) {
    if (args[i] === "--user") {
      place = undefined;
    } else if (args[i] === "--prefix" && args[i + 1]) {
      place = args[++i];
    } else if (args[i] === "--sys-prefix") {
      place = process.env.VIRTUAL_ENV || process.env.CONDA_PREFIX || "/usr/local";
    } else if (args[i] === "--runtime" && Object.hasOwn(RUNTIMES, args[i + 1] ?? "")) {
      runtime = args[++i] as RuntimeName;
    } else {
      throw new Error(`cannot understand ${args[i]}\n${USAGE}`);
    }
  }
  const folder = join(kernelsFolder(place), `wasmq-${runtime}`);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "kernel.json"), `${JSON.stringify(kernelSpec(runtime), null, 2)}\n`);
  return folder;
}

if (import.meta.main) {
  try {
    console.log(`Installed in ${await install(process.argv.slice(2))}`);
    console.log("Remove it with: jupyter kernelspec remove wasmq-…");
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 1;
  }
}
