// Files in tests, on Deno, Bun and Node.

interface Stats {
  readonly mode: number;
  isSocket(): boolean;
}

interface FileSystem {
  chmodSync(path: string, mode: number): void;
  existsSync(path: string): boolean;
  lstatSync(path: string): Stats;
  mkdirSync(path: string): void;
  readFileSync(path: string, encoding: "utf8"): string;
  writeFileSync(path: string, text: string | Uint8Array): void;
  unlinkSync(path: string): void;
}

const { process } = globalThis as unknown as {
  process: { getBuiltinModule(name: "node:fs"): FileSystem };
};

/** The system's files. */
export const files: FileSystem = process.getBuiltinModule("node:fs");

/** The path of an ipc endpoint. */
export function pathOf(endpoint: string | null): string {
  return endpoint!.slice("ipc://".length);
}

/** The folder that a file is in. */
export function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/"));
}

/** True where sockets may have abstract names. */
export const hasAbstractNames: boolean = files.existsSync("/proc/net/unix");

const COLUMNS_BEFORE_PATH = 7;

/** The names and paths of the machine's local sockets, as Linux shows them. */
export function localSockets(): string[] {
  return files.readFileSync("/proc/net/unix", "utf8").split("\n").slice(1)
    .map((line) => line.split(/\s+/).slice(COLUMNS_BEFORE_PATH).join(" "));
}
