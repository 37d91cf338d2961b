// A process of the simulation, from its own side: it is told what to do on its standard input, and ends with it.

import type { Order, Task, Told } from "./messages.ts";

interface Input {
  on(event: "data", listener: (chunk: Uint8Array) => void): void;
  on(event: "end", listener: () => void): void;
}

const { process } = globalThis as unknown as {
  process: {
    readonly argv: readonly string[];
    readonly stdin: Input;
    readonly stdout: { write(text: string): void };
    cpuUsage(): { readonly user: number; readonly system: number };
    exit(code: number): never;
  };
};

const REPORT_MS = 500;

/** What this process is for. */
export const task: Task = JSON.parse(process.argv[2]);

/** Tells the main process. */
export function tell(told: Told): void {
  process.stdout.write(`${JSON.stringify(told)}\n`);
}

/** Calls with each order of the main process; `close` when that is gone, before this one ends. */
export function obey(follow: (order: Order) => void, close: () => Promise<void>): void {
  const decoder = new TextDecoder();
  let text = "";
  process.stdin.on("data", (chunk) => {
    text += decoder.decode(chunk, { stream: true });
    const lines = text.split("\n");
    text = lines.pop()!;
    for (const line of lines) follow(JSON.parse(line));
  });
  process.stdin.on("end", async () => {
    await close();
    process.exit(0);
  });
}

/** Tells figures now and then; the function tells them at once. */
export function report(
  figures: () => Omit<Told & { told: "figures" }, "told" | "cpu">,
): () => void {
  const tellNow = (): void => {
    const { user, system } = process.cpuUsage();
    tell({ told: "figures", cpu: user + system, ...figures() });
  };
  setInterval(tellNow, REPORT_MS);
  return tellNow;
}
