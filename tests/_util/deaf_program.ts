// A program that listens and never accepts, because it stands still. Usage: deaf_program.ts BACKLOG [ENDPOINT]

import { Pull } from "../../mod.ts";

const { process } = globalThis as unknown as {
  process: {
    argv: string[];
    getBuiltinModule(name: "node:fs"): { writeSync(file: number, text: string): void };
  };
};
const pull = new Pull({ backlog: Number(process.argv[2]) });
await pull.bind(process.argv[3] ?? "tcp://127.0.0.1:*");
process.getBuiltinModule("node:fs").writeSync(1, `${pull.lastEndpoint}\n`);
Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
