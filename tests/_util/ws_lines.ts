// The two ends of a driven process: lines in by the standard input, lines out by the standard output.

import { DrivenSockets, type OpenSocket } from "./ws_ends.ts";

const { process } = globalThis as unknown as {
  process: {
    readonly stdin: {
      on(event: "data", listener: (chunk: Uint8Array) => void): void;
      on(event: "end", listener: () => void): void;
    };
    readonly stdout: { write(text: string): void };
    exit(code: number): never;
  };
};

/** Serves until the standard input ends: this process never outlives the test that started it. */
export function serveLines(open: OpenSocket): void {
  const sockets = new DrivenSockets(open);
  const decoder = new TextDecoder();
  let rest = "";
  process.stdin.on("data", (chunk) => {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop()!;
    for (const line of lines) {
      void sockets.answer(line).then((answer) => process.stdout.write(`${answer}\n`));
    }
  });
  process.stdin.on("end", () => process.exit(0));
}
