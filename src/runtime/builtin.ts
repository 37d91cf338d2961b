// Modules of Node, which Deno and Bun have as well; nothing is imported statically from node:.

import type { FilePromises } from "./files.ts";
import type { NodeNet } from "./node.ts";
import type { NodeTls } from "./tls.ts";
import type { NodeStreams } from "./tls_carrier.ts";
import type { NodeCrypto } from "./tls_context.ts";

interface NodeDns {
  lookup(
    host: string,
    options: { all: true; verbatim: true },
    done: (error: unknown, addresses: { address: string }[]) => void,
  ): void;
}

interface NodeOs {
  networkInterfaces(): Record<string, { address: string }[] | undefined>;
  platform(): string;
  tmpdir(): string;
}

interface NodeFs {
  readonly promises: FilePromises;
  openSync(path: string, flags: string): number;
  closeSync(descriptor: number): void;
  existsSync(path: string): boolean;
  mkdtempSync(prefix: string): string;
  rmdirSync(path: string): void;
  lstatSync(path: string): { isSocket(): boolean };
  unlinkSync(path: string): void;
}

interface NodePath {
  dirname(path: string): string;
  join(...parts: string[]): string;
}

interface NodeUtil {
  getSystemErrorName(error: number): string;
}

interface Modules {
  "node:crypto": NodeCrypto;
  "node:fs": NodeFs;
  "node:net": NodeNet;
  "node:dns": NodeDns;
  "node:os": NodeOs;
  "node:path": NodePath;
  "node:stream": NodeStreams;
  "node:tls": NodeTls;
  "node:util": NodeUtil;
}

/** A module of Node, where the runtime has it. */
export function builtin<N extends keyof Modules>(name: N): Modules[N] {
  const { process } = globalThis as unknown as {
    process: { getBuiltinModule(name: string): unknown };
  };
  return process.getBuiltinModule(name) as Modules[N];
}
