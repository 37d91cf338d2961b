// Endpoints for programs that are to end by themselves. They leave nothing behind: their folder for ipc is the test's.

import { anywhere, type Transport } from "./anywhere.ts";

const { process } = globalThis as unknown as {
  process: { readonly argv: readonly string[]; readonly pid: number };
};

// CASE TRANSPORT FOLDER [ENDPOINT]
const { argv } = process;

/** What the program is to do. */
export const caseName: string = argv[2];
/** An endpoint of the test. */
export const givenEndpoint: string | undefined = argv[5];

const transport = argv[3] as Transport;
const folder = argv[4];

let places = 0;

/** Another address to bind to. */
export function place(): string {
  if (transport !== "ipc") return anywhere(transport);
  return `ipc://${folder}/${process.pid}-${places++}`;
}

/** An endpoint at which nobody is. */
export function nobody(): string {
  if (transport === "tcp") return "tcp://127.0.0.1:9";
  return transport === "ipc" ? `ipc://${folder}/nobody` : "inproc://nobody";
}

/** Tells the test something. */
export function say(text: string): void {
  // deno-lint-ignore no-console
  console.log(text);
}
