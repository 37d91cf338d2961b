// A program with one socket: a PUSH sends numbers, one after the other, a PULL prints what it gets; until it is killed.
// Usage: beating_peer.ts push|pull bind|connect ENDPOINT [OPTIONS as JSON]

import { Pull, Push } from "../../mod.ts";
import { textsOf } from "./bytes.ts";
import { pause } from "./deadline.ts";

const PACE_MS = 20;
const { process } = globalThis as unknown as {
  process: {
    readonly argv: readonly string[];
    readonly pid: number;
    readonly stdout: { write(text: string): void };
  };
};
const [type, role, endpoint, options = "{}"] = process.argv.slice(2);
const socket = type === "push" ? new Push(JSON.parse(options)) : new Pull(JSON.parse(options));
if (role === "bind") await socket.bind(endpoint);
else socket.connect(endpoint);
process.stdout.write(`pid ${process.pid}\nat ${socket.lastEndpoint}\n`);

if (socket instanceof Push) {
  for (let i = 0;; i++) {
    await socket.send(String(i));
    await pause(PACE_MS);
  }
}
for await (const frames of socket) process.stdout.write(`got ${textsOf(frames).join("|")}\n`);
