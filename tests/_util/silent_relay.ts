// A tcp relay that can go silent: connections stay, nothing passes.

interface NetSocket {
  on(event: "close" | "error", listener: () => void): void;
  pipe(to: NetSocket): void;
  unpipe(): void;
  pause(): void;
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

const LOOPBACK = "127.0.0.1";
type Ends = readonly [NetSocket, NetSocket];

/** Passes octets on to an endpoint of this machine. */
export class SilentRelay {
  readonly #server: NetServer;
  readonly #connections: Set<Ends> = new Set();
  #silent = false;

  private constructor(target: string) {
    const { connect, createServer } = process.getBuiltinModule("node:net");
    const [, host, port] = /^tcp:\/\/(.*):(\d+)$/.exec(target)!;
    this.#server = createServer((from) => {
      const ends = [from, connect(Number(port), host)] as const;
      this.#connections.add(ends);
      for (const end of ends) {
        end.on("error", () => {});
        end.on("close", () => {
          this.#connections.delete(ends);
          for (const each of ends) each.destroy();
        });
      }
      if (!this.#silent) join(ends);
    });
  }

  /** A relay to a tcp endpoint. */
  static async to(target: string): Promise<SilentRelay> {
    const relay = new SilentRelay(target);
    await new Promise<void>((resolve) => relay.#server.listen(0, LOOPBACK, resolve));
    return relay;
  }

  /** Where to connect instead. */
  get endpoint(): string {
    return `tcp://${LOOPBACK}:${this.#server.address().port}`;
  }

  /** Nothing passes any more on the connections that stand; new ones work. */
  mute(): void {
    for (const ends of this.#connections) {
      for (const end of ends) {
        end.unpipe();
        end.pause();
      }
    }
  }

  /** Nothing passes on any connection from now on, or everything again. */
  set silent(silent: boolean) {
    this.#silent = silent;
    if (silent) this.mute();
    else this.#connections.forEach(join);
  }

  /** Ends it and its connections. */
  close(): void {
    this.#server.close();
    for (const end of [...this.#connections].flat()) end.destroy();
  }
}

function join([from, to]: Ends): void {
  from.pipe(to);
  to.pipe(from);
}
