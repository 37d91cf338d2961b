// Picks the runtime that runs this program, when the first socket needs one.

import { ZmqError } from "../errors.ts";
import type { Runtime } from "../link/stream.ts";
import { bunRuntime } from "./bun.ts";
import { denoRuntime } from "./deno.ts";
import { nodeRuntime } from "./node.ts";

/**
 * The runtime of this program.
 *
 * @throws {ZmqError} `ENOTSUP` when it is none of Deno, Bun and Node.
 */
export function detectRuntime(): Runtime {
  const { Deno, Bun, process } = globalThis as {
    Deno?: unknown;
    Bun?: unknown;
    process?: { getBuiltinModule?: unknown };
  };
  if (Deno !== undefined) return denoRuntime;
  if (Bun !== undefined) return bunRuntime;
  if (process?.getBuiltinModule !== undefined) return nodeRuntime;
  throw new ZmqError(
    "ENOTSUP",
    "This runtime is not known: sockets need Deno, Bun or Node 22.18 and later; for workerd and Cloudflare " +
      "Workers there is @wasmq/wasmq/workerd, for pages @wasmq/wasmq/browser",
  );
}
