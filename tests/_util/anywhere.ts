// Where tests that hold for several transports bind their sockets.

/** How two sockets can be joined. */
export type Transport = "tcp" | "ws" | "ipc" | "inproc";

export const TRANSPORTS: readonly Transport[] = ["tcp", "ipc", "inproc"];

/** These, and the one that is made of messages. */
export const ALL_TRANSPORTS: readonly Transport[] = [...TRANSPORTS, "ws"];

/** The transports over which a peer speaks ZMTP octet by octet. */
export const SYSTEM_TRANSPORTS: readonly Transport[] = ["tcp", "ipc"];

let names = 0;

/** An address to bind to that is free. */
export function anywhere(transport: Transport): string {
  if (transport === "inproc") return `inproc://anywhere-${names++}`;
  return transport === "ipc" ? "ipc://*" : `${transport}://127.0.0.1:*`;
}
