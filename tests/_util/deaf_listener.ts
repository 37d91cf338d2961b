// A listener that never accepts: the system lets connections in until its backlog is full, and then swallows whatever
// wants to connect without an answer.

import { portOf } from "./ports.ts";
import { type Program, start } from "./process.ts";

interface NetSocket {
  on(event: "connect" | "error", listener: () => void): void;
  destroy(): void;
}

interface NetModule {
  connect(options: { host: string; port: number }): NetSocket;
}

const { process } = globalThis as unknown as {
  process: { getBuiltinModule(name: "node:net"): NetModule };
};
/** A connection that is not there by then never comes: on the loopback it takes less than a millisecond. */
const CONNECT_MS = 200;

/** A listener in a process that stands still. */
export class DeafListener {
  readonly endpoint: string;
  readonly #program: Program;
  readonly #sockets: NetSocket[] = [];

  private constructor(program: Program, endpoint: string) {
    this.#program = program;
    this.endpoint = endpoint;
  }

  /** Listens with the socket option `backlog`. */
  static async listen(backlog: number): Promise<DeafListener> {
    const program = start("deaf_program.ts", String(backlog));
    await program.prints("\n");
    return new DeafListener(program, program.output.trim());
  }

  /** Connects until there is no room any more; how many connections there was room for. */
  async fill(most = 2_000): Promise<number> {
    for (let count = 0; count < most; count++) if (!await this.#connect()) return count;
    throw new Error(`There was room for ${most} connections`);
  }

  /** Ends the process and closes all connections to it. */
  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await this.#program.kill();
  }

  #connect(): Promise<boolean> {
    const socket = process.getBuiltinModule("node:net")
      .connect({ host: "127.0.0.1", port: portOf(this.endpoint) });
    this.#sockets.push(socket);
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), CONNECT_MS);
      const over = (connected: boolean): void => {
        clearTimeout(timer);
        resolve(connected);
      };
      socket.on("connect", () => over(true));
      socket.on("error", () => over(false));
    });
  }
}
