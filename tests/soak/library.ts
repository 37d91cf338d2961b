// The sockets that a process of the soak uses: ours, or libzmq's through zeromq.js, whose API is the same.

import * as wasmq from "../../mod.ts";

/** What both libraries have. */
export type Library = Pick<
  typeof wasmq,
  | "Dealer"
  | "Pair"
  | "Publisher"
  | "Pull"
  | "Push"
  | "Reply"
  | "Request"
  | "Router"
  | "Subscriber"
  | "XPublisher"
  | "XSubscriber"
>;

export type LibraryName = "wasmq" | "libzmq";

/** What every socket of both libraries can do. */
export interface AnySocket {
  linger: number;
  readonly closed: boolean;
  readonly lastEndpoint: string | null;
  bind(endpoint: string): Promise<void>;
  connect(endpoint: string): void;
  close(): Promise<void> | void;
}

/** A frame as either library hands it out. */
type Octets = Uint8Array & { toString(): string };

/** What receives. */
export interface Receiving extends AnySocket {
  receive(): Promise<Octets[]>;
}

/** What sends. */
export interface Sending extends AnySocket {
  send(message: (Uint8Array | string)[]): Promise<void>;
}

const PATIENCE_MS = 100;

/**
 * zeromq.js can lose a wake-up when a socket waits for both directions at once, and libzmq's publishers and subscribers only
 * look at each other when they are used: so its operations are short and made again.
 */
export function makePatient(socket: AnySocket): void {
  for (const option of ["sendTimeout", "receiveTimeout"]) {
    if (option in socket) Object.assign(socket, { [option]: PATIENCE_MS });
  }
}

export async function load(name: LibraryName): Promise<Library> {
  if (name === "wasmq") return wasmq;
  // By a variable: the addon is not there for those who only check types.
  const addon = "zeromq";
  return await import(addon) as Library;
}

/** The next message, or nothing when the socket was closed meanwhile. */
export async function receive(socket: Receiving): Promise<Octets[] | undefined> {
  while (!socket.closed) {
    try {
      return await socket.receive();
    } catch (error) {
      rethrow(socket, error);
    }
  }
  return undefined;
}

/** Sends however long it takes; false when the socket was closed meanwhile. */
export async function send(socket: Sending, message: (Uint8Array | string)[]): Promise<boolean> {
  while (!socket.closed) {
    try {
      await socket.send(message);
      return true;
    } catch (error) {
      rethrow(socket, error);
    }
  }
  return false;
}

function rethrow(socket: AnySocket, error: unknown): void {
  if (!socket.closed && (error as { code?: string }).code !== "EAGAIN") throw error;
}
