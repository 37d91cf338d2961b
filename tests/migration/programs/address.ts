// Where the sockets of a program meet: its arguments are the transport and a folder for ipc.

import process from "node:process";

const [transport = "tcp", folder = "."] = process.argv.slice(2);

/** An address to bind to; `lastEndpoint` then tells where to connect to. */
export function anywhere(name: string): string {
  if (transport === "inproc") return `inproc://${name}`;
  return transport === "ipc" ? `ipc://${folder}/${name}` : "tcp://127.0.0.1:*";
}

/** Resolves after so many milliseconds. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
