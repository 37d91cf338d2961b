// The same behaviour over several transports: one suite for each, and endpoints that nobody has.

import { after, describe } from "@std/testing/bdd";
import { anywhere, type Transport } from "./anywhere.ts";
import { freeEndpoint } from "./ports.ts";
import { SocketFolder } from "./socket_folder.ts";

/** The first of some ports at which nothing listens: the discard port. */
const SILENT_PORT = 9;

/** For tests that take long: ipc carries the same octets as tcp. */
export const DISTINCT_TRANSPORTS: readonly Transport[] = ["tcp", "inproc"];

let folder: SocketFolder | undefined;
let reserved = 0;

/** Describes a behaviour that holds over each of the transports. */
export function describeOver(
  transports: readonly Transport[],
  what: string,
  body: (transport: Transport) => void,
): void {
  for (const transport of transports) {
    describe(`over ${transport}: ${what}`, () => {
      after(() => {
        folder?.remove();
        folder = undefined;
      });
      body(transport);
    });
  }
}

/**
 * An endpoint that is free, and that may be bound again and again. (What a wildcard gave for ipc is gone when its socket
 * is closed, folder and all.)
 */
export async function reserve(transport: Transport): Promise<string> {
  switch (transport) {
    case "tcp":
      return await freeEndpoint();
    case "ws":
      return (await freeEndpoint()).replace("tcp:", "ws:");
    case "ipc":
      return socketFolder().endpoint(`reserved-${reserved++}`);
    case "inproc":
      return anywhere(transport);
  }
}

/** An endpoint at which nobody is, and nobody ever will be; another one for each index. */
export function nowhere(transport: Transport, index = 0): string {
  switch (transport) {
    case "tcp":
    case "ws":
      return `${transport}://127.0.0.1:${SILENT_PORT + index}`;
    case "ipc":
      return socketFolder().endpoint(`nobody-${index}`);
    case "inproc":
      return `inproc://nobody-${index}`;
  }
}

function socketFolder(): SocketFolder {
  return folder ??= new SocketFolder();
}
