// What the fault tests need: server processes that can be killed and frozen.

import { type Program, start } from "../../_util/process.ts";
import { pause } from "../../_util/deadline.ts";

/** A server in a process of its own. */
export interface ServerProcess {
  readonly program: Program;
  readonly endpoint: string;
  readonly pid: number;
}

const { process } = globalThis as unknown as {
  process: {
    kill(pid: number, signal: string): void;
  };
};
const HOST = "127.0.0.1";
const FREEZE_MS = 30;

/** Starts a server. */
export async function startServer(
  model: "flp" | "shotgun" | "rep",
  name: string,
  delay: number,
  endpoint = `tcp://${HOST}:*`,
): Promise<ServerProcess> {
  const program = start(
    "../patterns/freelance/programs/server.ts",
    model,
    name,
    endpoint,
    String(delay),
  );
  await program.prints(" ready\n");
  const [, pid, bound] = /^ready (\d+) (\S+) ready$/m.exec(program.output)!;
  return { program, endpoint: bound, pid: Number(pid) };
}

/** Freezes a process; it can go on for a moment until the system gets round to it. */
export async function freeze({ pid }: ServerProcess): Promise<void> {
  process.kill(pid, "SIGSTOP");
  await pause(FREEZE_MS);
}

/** Lets it go on. */
export function thaw({ pid }: ServerProcess): void {
  process.kill(pid, "SIGCONT");
}
