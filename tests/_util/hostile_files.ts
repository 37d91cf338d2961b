// The open files of this process.

interface FileSystem {
  existsSync(path: string): boolean;
  readdirSync(path: string): string[];
}

const { process } = globalThis as unknown as {
  process: { getBuiltinModule(name: "node:fs"): FileSystem };
};
const FILES = "/proc/self/fd";

/** How many descriptors are open; 0 where the system does not tell. */
export function openFiles(): number {
  const { existsSync, readdirSync } = process.getBuiltinModule("node:fs");
  return existsSync(FILES) ? readdirSync(FILES).length : 0;
}
