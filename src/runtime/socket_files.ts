// The files of local sockets, by node:fs, which Deno, Bun and Node all have.

import type { SocketFiles } from "../link/stream.ts";
import { builtin } from "./builtin.ts";

function temporaryFolder(): string {
  try {
    return builtin("node:os").tmpdir();
  } catch {
    // Deno looks it up in the environment, which it may not be permitted to read.
    return "/tmp";
  }
}

const files: SocketFiles = {
  makeFolder: () => builtin("node:fs").mkdtempSync(`${temporaryFolder()}/wasmq-`),
  removeFolder: (path) => builtin("node:fs").rmdirSync(path),
  isSocket(path) {
    try {
      return builtin("node:fs").lstatSync(path).isSocket();
    } catch {
      return false;
    }
  },
  remove: (path) => builtin("node:fs").unlinkSync(path),
};

/** Undefined on Windows, where these runtimes have pipes instead of local sockets. */
export function socketFiles(): SocketFiles | undefined {
  return builtin("node:os").platform() === "win32" ? undefined : files;
}
