// Where tests that hold for several transports bind their sockets.

/** How two sockets can be joined. */
export type Transport = "tcp" | "ipc" | "inproc";

export const TRANSPORTS: readonly Transport[] = ["tcp", "ipc", "inproc"];

/** The transports with a connection of the system. */
export const SYSTEM_TRANSPORTS: readonly Transport[] = ["tcp", "ipc"];

let names = 0;

/** An address to bind to that is free. */
export function anywhere(transport: Transport): string {
  if (transport === "inproc") return `inproc://anywhere-${names++}`;
  return transport === "tcp" ? "tcp://127.0.0.1:*" : "ipc://*";
}
