// What ends TLS in front of a server that has none: octets go through it as they are.

import { SERVER } from "./certificates.ts";

interface NodeSocket {
  on(event: "error" | "close", call: () => void): void;
  pipe(to: NodeSocket): void;
  destroy(): void;
}

interface NodeServer {
  listen(port: number, host: string, done: () => void): void;
  address(): { port: number };
  close(): void;
}

const { process } = globalThis as unknown as {
  process: {
    getBuiltinModule(name: "node:net"): { connect(port: number, host: string): NodeSocket };
    getBuiltinModule(name: "node:tls"): {
      createServer(
        options: { key: string; cert: string },
        accepted: (socket: NodeSocket) => void,
      ): NodeServer;
    };
  };
};

/** A balancer with one server. */
export class TlsBalancer {
  /** The port to connect to, on 127.0.0.1. */
  readonly port: number;
  readonly #server: NodeServer;
  readonly #sockets: Set<NodeSocket>;

  private constructor(server: NodeServer, sockets: Set<NodeSocket>) {
    this.#server = server;
    this.#sockets = sockets;
    this.port = server.address().port;
  }

  /** Listens, with the certificate `SERVER`, for a server at a port of 127.0.0.1. */
  static async listen(port: number): Promise<TlsBalancer> {
    const sockets = new Set<NodeSocket>();
    const { key, certificate: cert } = SERVER;
    const server = process.getBuiltinModule("node:tls").createServer({ key, cert }, (outside) => {
      const inside = process.getBuiltinModule("node:net").connect(port, "127.0.0.1");
      for (const [one, other] of [[outside, inside], [inside, outside]]) {
        sockets.add(one);
        one.on("error", () => {});
        one.on("close", () => other.destroy());
        one.pipe(other);
      }
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new TlsBalancer(server, sockets);
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}
