// Describes where a run takes place and the versions of everything in it.

import os from "node:os";
import { readVersion } from "./measure.ts";
import type { Machine } from "./results.ts";
import type { Row } from "./rows.ts";
import { repositoryPath, run } from "./toolchain.ts";

/** CPU, memory and system; nothing that names the machine. */
export function describeMachine(): Machine {
  const cpus = os.cpus();
  return {
    cpu: cpus[0]?.model.trim() ?? "unknown",
    cores: cpus.length,
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    system: `${Deno.build.os} ${Deno.build.arch}`,
    loadAverage: os.loadavg()[0],
  };
}

/** The versions of the runtimes and libraries behind the rows. */
export async function describeVersions(rows: readonly Row[]): Promise<Record<string, string>> {
  const versions: Record<string, string> = {};
  for (const row of rows) {
    if (row.kind === "libzmq" || row.kind === "libsodium") {
      versions[row.kind] = await readVersion(row);
    } else {
      versions[row.runtime] ??= await runtimeVersion(row);
    }
    if (row.kind === "zeromq.js") {
      versions["zeromq.js"] = `${
        packageVersion("node_modules/zeromq/package.json")
      } (libzmq ${await readVersion(row)})`;
    }
    if (row.kind === "jszmq") {
      versions["jszmq"] = packageVersion("node_modules/jszmq/package.json");
    }
    if (row.kind === "noble") {
      versions["@noble/ciphers"] ??= packageVersion("node_modules/@noble/ciphers/package.json");
    }
    if (row.kind === "wasmq") versions["wasmq"] ??= packageVersion("deno.json");
  }
  return versions;
}

async function runtimeVersion(row: Row): Promise<string> {
  if (row.runtime === "Deno") return Deno.version.deno;
  return (await run(row.command[0], ["--version"])).output.replace(/^v/, "");
}

function packageVersion(file: string): string {
  return JSON.parse(Deno.readTextFileSync(repositoryPath(file))).version;
}
