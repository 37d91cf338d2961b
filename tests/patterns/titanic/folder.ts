// Folders for Titanic in tests.

interface FileSystem {
  mkdtempSync(prefix: string): string;
  readdirSync(path: string): string[];
  readFileSync(path: string): Uint8Array;
  writeFileSync(path: string, data: Uint8Array | string): void;
  statSync(path: string): { readonly mode: number };
  rmSync(path: string, options: { recursive: true; force?: boolean }): void;
}

const { process } = globalThis as unknown as {
  process: { getBuiltinModule(name: "node:fs"): FileSystem };
};

/** Node's files, which all runtimes have. */
export const fs: FileSystem = process.getBuiltinModule("node:fs");

/** A new folder. */
export function makeFolder(): { readonly path: string; remove(): void } {
  const path = fs.mkdtempSync("/tmp/wasmq-titanic-");
  return { path, remove: () => fs.rmSync(path, { recursive: true, force: true }) };
}
