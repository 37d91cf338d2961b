// Sockets in other processes, on any runtime whatever the test runs on, and in this process: all driven as libzmq peers are.

import { runtimeName } from "./process.ts";
import { Peer } from "./peer.ts";
import { DrivenSockets, type OpenSocket } from "./ws_ends.ts";

type Child = ConstructorParameters<typeof Peer>[0];

interface FileSystem {
  existsSync(path: string): boolean;
  readdirSync(path: string): string[];
}

interface ProcessGlobal {
  readonly execPath: string;
  readonly versions: Readonly<Record<string, string | undefined>>;
  getBuiltinModule(name: "node:fs"): FileSystem;
  getBuiltinModule(name: "node:child_process"): {
    spawn(command: string, args: readonly string[], options: object): Child;
  };
}

/** Where a program of ours can run. */
export type RuntimeName = "Deno" | "Bun" | "Node";

export const RUNTIMES: readonly RuntimeName[] = ["Deno", "Bun", "Node"];

const process = (globalThis as unknown as { process: ProcessGlobal }).process;
const modules = new URL("../../node_modules/", import.meta.url).pathname;

/** Starts our sockets on a runtime, in a process of its own; end it with `stop`. */
export function startOurs(runtime: RuntimeName): Peer {
  return startProgram(runtime, "ws_our_program.ts");
}

/** Starts jszmq's sockets in a process of Node. */
export function startJszmq(): Peer {
  return startProgram("Node", "ws_jszmq_program.ts");
}

/** Drives sockets of this process in the same way. */
export function driveHere(open: OpenSocket): Peer {
  const sockets = new DrivenSockets(open);
  return driveBy((line) => sockets.answer(line), () => sockets.close());
}

/** A peer that is no process: whatever answers lines, until it is ended. */
export function driveBy(answer: (line: string) => Promise<string>, end: () => Promise<void>): Peer {
  const encoder = new TextEncoder();
  let data: (chunk: Uint8Array) => void = () => {};
  let exit: (code: number | null, signal: string | null) => void = () => {};
  let failed: (error: Error) => void = () => {};
  const ignore = { on(): void {} };
  return new Peer({
    stdin: {
      write: (line) => {
        answer(line).then((text) => data(encoder.encode(`${text}\n`)), (error) => failed(error));
      },
      end: () => void end().then(() => exit(0, null), (error) => failed(error)),
      ...ignore,
    },
    stdout: { on: (_, listener) => void (data = listener) },
    stderr: ignore,
    on: (event: "exit" | "error", listener: (...args: never[]) => void): void => {
      if (event === "exit") exit = listener as typeof exit;
      else failed = listener as typeof failed;
    },
  });
}

function startProgram(runtime: RuntimeName, program: string): Peer {
  const flags = runtime === "Deno" ? ["run", "-A", "--no-check"] : [];
  const path = new URL(`./${program}`, import.meta.url).pathname;
  const { spawn } = process.getBuiltinModule("node:child_process");
  return new Peer(spawn(binaryOf(runtime), [...flags, path], { stdio: "pipe" }));
}

/** This test's own binary where it is that runtime's, else the one in node_modules, else the one on PATH. */
function binaryOf(runtime: RuntimeName): string {
  if (runtime === runtimeName) return process.execPath;
  const { existsSync, readdirSync } = process.getBuiltinModule("node:fs");
  const names = runtime === "Node"
    ? readdirSync(modules).filter((name) => /^node2[24]-/.test(name)).map((x) => `${x}/bin/node`)
    : [`.bin/${runtime.toLowerCase()}`];
  const found = names.map((name) => modules + name).find(existsSync);
  return found ?? runtime.toLowerCase();
}
