// A SOCKS5 proxy (RFC 1928, RFC 1929) for tests, which can also misbehave in ways that a test chooses.

import { textOf, utf8 } from "./bytes.ts";
import { pause, within } from "./deadline.ts";
import { concat } from "./octets.ts";

interface NetSocket {
  readonly remoteAddress?: string;
  on(event: "data", listener: (chunk: Uint8Array) => void): void;
  on(event: "connect" | "end" | "close", listener: () => void): void;
  on(event: "error", listener: (error: Error) => void): void;
  write(octets: Uint8Array): boolean;
  setNoDelay(on: boolean): void;
  end(): void;
  destroy(): void;
}

interface NetServer {
  on(event: "connection", listener: (socket: NetSocket) => void): void;
  on(event: "error", listener: (error: Error) => void): void;
  listen(options: { host: string; port: number }, done: () => void): void;
  address(): { port: number };
  close(): void;
}

interface NetModule {
  connect(options: { host: string; port: number }): NetSocket;
  createServer(): NetServer;
}

const { process } = globalThis as unknown as {
  process: { getBuiltinModule(name: "node:net"): NetModule };
};

const VERSION = 5;
const NO_METHOD = 0xff;
const PASSWORD_VERSION = 1;
const CONNECT = 1;
const GENERAL_FAILURE = 1;
const WAIT_MS = 5_000;

/** A reply's bound address: nobody needs it, but it has to be read over. */
export const BOUND: Readonly<Record<"ipv4" | "ipv6" | "name", Uint8Array>> = {
  ipv4: Uint8Array.of(1, 127, 0, 0, 1, 0, 80),
  ipv6: concat(Uint8Array.of(4), new Uint8Array(15), Uint8Array.of(1, 0, 80)),
  name: concat(Uint8Array.of(3, 11), utf8("proxy.local"), Uint8Array.of(0, 80)),
};

/** What a proxy does. */
export interface SocksOptions {
  /** Asks for them, with the method of RFC 1929. */
  readonly credentials?: { readonly username: string; readonly password: string };
  /** The addresses of names that it knows. */
  readonly names?: Readonly<Record<string, string>>;
  /** Answers with this code instead of connecting. */
  readonly refuseWith?: number;
  /** The address of its replies. */
  readonly bound?: Uint8Array;
  /** Waits before each answer. */
  readonly delayMs?: number;
  /** Sends its answers octet by octet. */
  readonly dribbles?: boolean;
  /** Waits for the target's first octets and sends them in one piece with its reply. */
  readonly joinsReply?: boolean;
  /** Sends this instead of one of its answers, then nothing more. */
  readonly garbage?: {
    readonly instead: "method" | "password" | "reply";
    readonly octets: Uint8Array;
  };
  /** Closes the connection instead of one of its answers. */
  readonly closesBefore?: "method" | "password" | "reply";
  /** Answers nothing at all. */
  readonly silent?: boolean;
  /** Where it listens; any port of 127.0.0.1 if it is left out. */
  readonly host?: string;
  readonly port?: number;
}

/** What a client asked for. */
export interface SocksRequest {
  /** The methods it offered: 0 none, 2 username and password. */
  readonly methods: readonly number[];
  readonly username: string | undefined;
  readonly password: string | undefined;
  /** Undefined when it did not get so far. */
  readonly target:
    | { readonly kind: "ipv4" | "ipv6" | "name"; readonly host: string; readonly port: number }
    | undefined;
}

/** A proxy. */
export class SocksServer {
  /** What clients asked for, in the order of their connections. */
  readonly requests: { -readonly [key in keyof SocksRequest]: SocksRequest[key] }[] = [];
  /** Where its clients came from. */
  readonly clients: string[] = [];
  /** Its port. */
  readonly port: number;
  readonly #server: NetServer;
  readonly #options: SocksOptions;
  readonly #sockets = new Set<NetSocket>();
  #open = 0;

  private constructor(server: NetServer, options: SocksOptions) {
    this.#server = server;
    this.port = server.address().port;
    this.#options = options;
    server.on("connection", (socket) => void this.#serve(socket));
  }

  /** Listens. */
  static listen(options: SocksOptions = {}): Promise<SocksServer> {
    const server = process.getBuiltinModule("node:net").createServer();
    const { host = "127.0.0.1", port = 0 } = options;
    return new Promise((resolve, reject) => {
      server.on("error", reject);
      server.listen({ host, port }, () => resolve(new SocksServer(server, options)));
    });
  }

  /** What the option socksProxy needs. */
  get address(): string {
    const { host = "127.0.0.1" } = this.#options;
    return `${host.includes(":") ? `[${host}]` : host}:${this.port}`;
  }

  /** How many clients are connected now. */
  get open(): number {
    return this.#open;
  }

  /** Cuts all connections, but goes on listening. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
  }

  /** Closes it and all its connections. */
  close(): void {
    this.#server.close();
    this.cut();
  }

  async #serve(socket: NetSocket): Promise<void> {
    this.#open++;
    this.clients.push(socket.remoteAddress ?? "");
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.on("close", () => this.#open--);
    const client = new Reader(socket);
    const request: typeof this.requests[number] = {
      methods: [],
      username: undefined,
      password: undefined,
      target: undefined,
    };
    this.requests.push(request);
    try {
      await this.#talk(client, request);
    } catch {
      socket.destroy(); // the client went away, or talked nonsense: `requests` tells how far it got
    }
  }

  async #talk(client: Reader, request: typeof this.requests[number]): Promise<void> {
    const { credentials, silent, refuseWith, bound = BOUND.ipv4, names = {} } = this.#options;
    const [version, count] = await client.take(2);
    if (version !== VERSION) throw new Error("not SOCKS5");
    request.methods = [...await client.take(count)];
    if (silent) return;
    const method = credentials ? 2 : 0;
    const offered = request.methods.includes(method);
    if (
      !await this.#answer(client, "method", Uint8Array.of(VERSION, offered ? method : NO_METHOD))
    ) {
      return;
    }
    if (!offered) return client.socket.end();
    if (credentials && !await this.#authenticate(client, request, credentials)) return;

    const target = await takeTarget(client);
    request.target = target;
    if (refuseWith !== undefined) {
      await this.#answer(client, "reply", reply(refuseWith, bound));
      return client.socket.end();
    }
    const host = target.kind === "name" ? names[target.host] : target.host;
    const server = host === undefined ? undefined : await connect(host, target.port);
    if (server === undefined) {
      await this.#answer(client, "reply", reply(GENERAL_FAILURE, bound));
      return client.socket.end();
    }
    this.#sockets.add(server.socket);
    const first = this.#options.joinsReply ? await server.takeSome() : new Uint8Array(0);
    const whole = concat(reply(0, bound), first);
    if (await this.#answer(client, "reply", whole)) pump(client, server);
  }

  async #authenticate(
    client: Reader,
    request: typeof this.requests[number],
    credentials: { readonly username: string; readonly password: string },
  ): Promise<boolean> {
    const [version, length] = await client.take(2);
    if (version !== PASSWORD_VERSION) throw new Error("not RFC 1929");
    request.username = textOf(await client.take(length));
    request.password = textOf(await client.take((await client.take(1))[0]));
    const fits = request.username === credentials.username &&
      request.password === credentials.password;
    const answer = Uint8Array.of(PASSWORD_VERSION, fits ? 0 : 1);
    if (!await this.#answer(client, "password", answer)) return false;
    if (!fits) client.socket.end();
    return fits;
  }

  /** Sends an answer in the way of this proxy; false when that is the end. */
  async #answer(
    { socket }: Reader,
    stage: "method" | "password" | "reply",
    octets: Uint8Array,
  ): Promise<boolean> {
    const { delayMs, dribbles, garbage, closesBefore } = this.#options;
    if (delayMs !== undefined) await pause(delayMs);
    if (closesBefore === stage) {
      socket.end();
      return false;
    }
    if (garbage?.instead === stage) {
      socket.write(garbage.octets);
      return false;
    }
    if (!dribbles) socket.write(octets);
    else {
      for (const octet of octets) {
        socket.write(Uint8Array.of(octet));
        await pause(1);
      }
    }
    return true;
  }
}

/** One side of a connection, from which octets are taken. */
class Reader {
  readonly socket: NetSocket;
  #octets: Uint8Array = new Uint8Array(0);
  #ended = false;
  #progress: () => void = () => {};
  #target: Reader | undefined;

  constructor(socket: NetSocket) {
    this.socket = socket;
    socket.on("data", (chunk) => {
      if (this.#target !== undefined) this.#target.socket.write(Uint8Array.from(chunk));
      else this.#octets = concat(this.#octets, chunk);
      this.#progress();
    });
    const over = (): void => {
      this.#ended = true;
      this.#progress();
      this.#target?.socket.end();
    };
    socket.on("end", over);
    socket.on("close", over);
    socket.on("error", over);
  }

  async take(count: number): Promise<Uint8Array> {
    await this.#wait(() => this.#octets.length >= count);
    const taken = this.#octets.slice(0, count);
    this.#octets = this.#octets.slice(count);
    return taken;
  }

  async takeSome(): Promise<Uint8Array> {
    await this.#wait(() => this.#octets.length > 0);
    return await this.take(this.#octets.length);
  }

  /** From now on everything goes there. */
  forward(target: Reader): void {
    this.#target = target;
    if (this.#octets.length > 0) target.socket.write(this.#octets);
    if (this.#ended) target.socket.end();
  }

  async #wait(enough: () => boolean): Promise<void> {
    await within(
      new Promise<void>((resolve) => {
        this.#progress = () => (enough() || this.#ended) && resolve();
        this.#progress();
      }),
      WAIT_MS,
      "octets at the proxy",
    );
    if (!enough()) throw new Error("Closed");
  }
}

function pump(one: Reader, other: Reader): void {
  one.forward(other);
  other.forward(one);
}

function reply(code: number, bound: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(VERSION, code, 0), bound);
}

async function takeTarget(client: Reader): Promise<NonNullable<SocksRequest["target"]>> {
  const [version, command, reserved, kind] = await client.take(4);
  if (version !== VERSION || command !== CONNECT || reserved !== 0) throw new Error("no CONNECT");
  const port = async (): Promise<number> => {
    const [high, low] = await client.take(2);
    return high * 256 + low;
  };
  if (kind === 1) {
    const host = [...await client.take(4)].join(".");
    return { kind: "ipv4", host, port: await port() };
  }
  if (kind === 4) {
    const view = new DataView((await client.take(16)).buffer);
    const groups = Array.from({ length: 8 }, (_, i) => view.getUint16(2 * i).toString(16));
    return { kind: "ipv6", host: groups.join(":"), port: await port() };
  }
  if (kind !== 3) throw new Error("no such address");
  const host = textOf(await client.take((await client.take(1))[0]));
  return { kind: "name", host, port: await port() };
}

function connect(host: string, port: number): Promise<Reader | undefined> {
  const socket = process.getBuiltinModule("node:net").connect({ host, port });
  const reader = new Reader(socket);
  return new Promise((resolve) => {
    socket.on("connect", () => resolve(reader));
    socket.on("error", () => resolve(undefined));
  });
}
