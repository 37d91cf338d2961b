// How large the library is for those who bundle it: each entry minified by esbuild, and gzipped.

import { gzipSync } from "node:zlib";
import { repositoryPath } from "./toolchain.ts";

/** An entry, with all that comes with it. */
export interface EntrySize {
  /** The file, e.g. `mod.ts`. */
  readonly entry: string;
  /** Octets after esbuild, and those of the core where it is a file of its own. */
  readonly minified: number;
  /** The same gzipped at level 9, each file by itself. */
  readonly gzipped: number;
}

const ENTRIES = ["mod.ts", "browser.ts", "workerd.ts"] as const;
/** Bundlers for workerd leave the compiled module as it is, beside the script. */
const CORE = "src/core/core.wasm";

/** Bundles and weighs all entries. */
export async function measureEntries(): Promise<EntrySize[]> {
  const core = await Deno.readFile(repositoryPath(CORE));
  return await Promise.all(ENTRIES.map(async (entry) => {
    const files = [await bundle(entry), ...entry === "workerd.ts" ? [core] : []];
    return { entry, minified: total(files), gzipped: total(files.map(gzip)) };
  }));
}

async function bundle(entry: string): Promise<Uint8Array> {
  const { success, stdout, stderr } = await new Deno.Command(
    repositoryPath("node_modules/.bin/esbuild"),
    {
      args: [
        repositoryPath(entry),
        "--bundle",
        "--minify",
        "--format=esm",
        "--target=es2023",
        "--charset=utf8",
        "--legal-comments=none",
        "--external:cloudflare:sockets",
        "--external:*.wasm",
        "--log-level=warning",
      ],
    },
  ).output();
  if (!success) throw new Error(`esbuild: ${new TextDecoder().decode(stderr)}`);
  return stdout;
}

function gzip(octets: Uint8Array): Uint8Array {
  return gzipSync(octets, { level: 9 });
}

function total(files: readonly Uint8Array[]): number {
  return files.reduce((sum, { length }) => sum + length, 0);
}
