// WebSockets that a server of the runtime's own opens for a `Request`: Deno.serve, Bun.serve, and the fetch handler of workerd.

import { LOST } from "../close_codes.ts";
import type { StreamAddress } from "../endpoint.ts";
import type { WebSocketLike } from "../link/stream.ts";
import { BunWebSocket, type BunWebSocketServer } from "./upgrade_bun.ts";

/** Who sent a request, as `Deno.serve` tells its handler. */
export interface ConnectionInfo {
  /** The peer's address: `hostname` and `port`. Where there is a proxy in between, the one that it tells. */
  readonly remoteAddr: {
    readonly transport?: string;
    readonly hostname?: string;
    readonly port?: number;
  };
}

/** A WebSocket as it is opened, and what the handler of the request answers. */
export interface Upgraded {
  readonly webSocket: WebSocketLike;
  readonly response: Response;
}

/** How a request is upgraded. */
export interface UpgradeOptions {
  /** The subprotocol that was chosen. */
  readonly protocol: string;
  /** The peer. */
  readonly remote: StreamAddress;
  /** Seconds without a sign of life after which the peer is given up, where the runtime looks after that; 0 for never. */
  readonly idleTimeout: number;
}

/** Opens the WebSocket that a request asks for; undefined when the runtime's server refuses it. */
export type Upgrade = (request: Request, options: UpgradeOptions) => Upgraded | undefined;

const CONNECTING = 0;

/** A WebSocket of Deno's server, or of workerd. */
type ServerWebSocket = Omit<WebSocketLike, "protocol" | "remote"> & { accept?(): void };

interface Servers {
  readonly Deno?: {
    upgradeWebSocket?(
      request: Request,
      options: { idleTimeout: number },
    ): { socket: ServerWebSocket; response: Response };
  };
  readonly WebSocketPair?: new () => readonly [ServerWebSocket, ServerWebSocket];
}

/** How the server that `from` is of upgrades a request; undefined where none is known that can. */
export function upgradeOf(
  from: ConnectionInfo | BunWebSocketServer | undefined,
): Upgrade | undefined {
  if (from !== undefined && "upgrade" in from) {
    return (request, options) => upgradeBun(from, request, options);
  }
  const { Deno, WebSocketPair } = globalThis as unknown as Servers;
  if (Deno?.upgradeWebSocket !== undefined) return from && upgradeDeno;
  return WebSocketPair && upgradePair;
}

/** The address of who sent a request; without a host when nothing tells it. */
export function remoteOf(
  request: Request,
  from: ConnectionInfo | BunWebSocketServer | undefined,
): StreamAddress {
  if (from === undefined) {
    // Only workerd tells it with the request, where it takes connections by itself.
    const { cf } = request as Request & { readonly cf?: { readonly clientIp?: string } };
    const [, host = "", port = 0] = /^\[?(.*?)\]?:(\d+)$/.exec(cf?.clientIp ?? "") ?? [];
    return { host, port: Number(port) };
  }
  if ("upgrade" in from) {
    const { address, port } = from.requestIP(request) ?? { address: "", port: 0 };
    return { host: address, port };
  }
  const { transport, hostname = "", port = 0 } = from.remoteAddr;
  return transport?.startsWith("unix") ? { path: "" } : { host: hostname, port };
}

function upgradeDeno(
  request: Request,
  { protocol, remote, idleTimeout }: UpgradeOptions,
): Upgraded {
  const { Deno } = globalThis as unknown as Servers;
  const { socket, response } = Deno!.upgradeWebSocket!(request, { idleTimeout });
  // Its own option does not find a name in a list without spaces, as libzmq sends it.
  response.headers.set("Sec-WebSocket-Protocol", protocol);
  return { webSocket: new NamedWebSocket(socket, protocol, remote), response };
}

function upgradePair(_: Request, { protocol, remote }: UpgradeOptions): Upgraded {
  const { WebSocketPair } = globalThis as unknown as Servers;
  const pair = new WebSocketPair!();
  const init = {
    status: 101,
    headers: { "Sec-WebSocket-Protocol": protocol },
    webSocket: pair[0],
  };
  return {
    webSocket: new NamedWebSocket(pair[1], protocol, remote),
    response: new Response(null, init),
  };
}

function upgradeBun(
  server: BunWebSocketServer,
  request: Request,
  { protocol, remote }: UpgradeOptions,
): Upgraded | undefined {
  const webSocket = new BunWebSocket(protocol, remote);
  const headers = { "Sec-WebSocket-Protocol": protocol };
  if (!server.upgrade(request, { headers, data: webSocket })) return undefined;
  void webSocket.awaitOpen();
  // The server has answered already, and does not look at this one.
  return { webSocket, response: new Response(null) };
}

/** A WebSocket that does not tell what its server agreed on, nor with whom. */
class NamedWebSocket implements WebSocketLike {
  readonly protocol: string;
  readonly remote: StreamAddress;
  readonly #socket: ServerWebSocket;
  #accepted = false;
  /** What broke it. */
  #error: string | undefined;

  constructor(socket: ServerWebSocket, protocol: string, remote: StreamAddress) {
    this.#socket = socket;
    this.protocol = protocol;
    this.remote = remote;
    socket.addEventListener("error", (event) => {
      this.#error = (event as { readonly message?: string }).message ?? "";
    });
  }

  get binaryType(): string {
    return this.#socket.binaryType;
  }

  set binaryType(type: string) {
    this.#socket.binaryType = type;
  }

  get readyState(): number {
    return this.#socket.readyState;
  }

  get bufferedAmount(): number {
    return this.#socket.bufferedAmount;
  }

  send(data: Uint8Array): void {
    this.#socket.send(data);
  }

  close(code?: number, reason?: string): void {
    if (this.readyState !== CONNECTING) return this.#socket.close(code, reason);
    // Deno opens it all the same.
    this.#socket.addEventListener("open", () => this.#socket.close(code, reason));
  }

  addEventListener(...[type, listener]: Parameters<WebSocketLike["addEventListener"]>): void {
    // The close that follows an error has a code as if the peer had wanted it.
    this.#socket.addEventListener(
      type,
      type !== "close"
        ? listener
        : (event) =>
          listener(this.#error === undefined ? event : { code: LOST, reason: this.#error }),
    );
    if (type !== "message" || this.#accepted) return;
    // workerd has the events wait for this.
    this.#accepted = true;
    this.#socket.accept?.();
  }
}
