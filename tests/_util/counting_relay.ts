// A tcp relay that counts what clients say.

interface NetSocket {
  on(event: "close" | "error", listener: () => void): void;
  on(event: "data", listener: (octets: Uint8Array) => void): void;
  pipe(to: NetSocket): void;
  destroy(): void;
}

interface NetServer {
  listen(port: number, host: string, done: () => void): void;
  address(): { readonly port: number };
  close(): void;
}

interface NetModule {
  connect(port: number, host: string): NetSocket;
  createServer(connected: (socket: NetSocket) => void): NetServer;
}

const { process } = globalThis as unknown as {
  process: { getBuiltinModule(name: "node:net"): NetModule };
};

/** Passes octets on between clients and a port of this machine. */
export class CountingRelay {
  /** Octets that clients have sent so far. */
  count = 0;
  readonly #server: NetServer;
  readonly #sockets: Set<NetSocket> = new Set();

  private constructor(target: number) {
    const { connect, createServer } = process.getBuiltinModule("node:net");
    this.#server = createServer((client) => {
      const server = connect(target, "127.0.0.1");
      for (const [socket, other] of [[client, server], [server, client]]) {
        this.#sockets.add(socket);
        socket.on("error", () => {});
        socket.on("close", () => other.destroy());
        socket.pipe(other);
      }
      client.on("data", (octets) => this.count += octets.length);
    });
  }

  /** Starts one in front of a port. */
  static async start(target: number): Promise<CountingRelay> {
    const relay = new CountingRelay(target);
    await new Promise<void>((resolve) => relay.#server.listen(0, "127.0.0.1", resolve));
    return relay;
  }

  /** Where clients connect. */
  get port(): number {
    return this.#server.address().port;
  }

  /** Ends it, and all connections. */
  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}
