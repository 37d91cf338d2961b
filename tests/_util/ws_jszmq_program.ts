// jszmq's sockets in a process of their own, driven by lines on the standard input; see ws_ends.ts.

import { openJszmq } from "./ws_jszmq.ts";
import { serveLines } from "./ws_lines.ts";

const { process } = globalThis as unknown as {
  process: { on(event: "uncaughtException", listener: (error: Error) => void): void };
};

// jszmq listens to no errors of its WebSockets: one that cannot be opened would end the process, where it tries again.
process.on("uncaughtException", (error) => {
  if (!/ECONNRE|socket hang up|Unexpected server response|closed before/.test(error.message)) {
    throw error;
  }
});

serveLines(openJszmq);
