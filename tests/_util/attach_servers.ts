// HTTP servers as programs have them anyway, each in the way of its runtime: sockets at some paths, pages at all others.

import {
  type BunWebSocketServer,
  type ConnectionInfo,
  type NodeUpgradeConnection,
  type NodeUpgradeRequest,
  type Socket,
  upgrade,
  webSocketHandlers,
} from "../../mod.ts";
import { runtimeName } from "./process.ts";

/** The sockets by the paths at which they are. */
export type Places = Readonly<Record<string, Socket>>;

/** Who a server is, over TLS. */
export interface AttachIdentity {
  readonly key: string;
  readonly certificate: string;
}

/** A server that runs. */
export class AttachServer {
  readonly port: number;
  readonly #close: () => Promise<void>;
  #closed: Promise<void> | undefined;

  constructor(port: number, close: () => Promise<void>) {
    this.port = port;
    this.#close = close;
  }

  /** Stops it; resolves when its connections are over, too. */
  close(): Promise<void> {
    return this.#closed ??= this.#close();
  }
}

/** One kind of server. */
export interface AttachKind {
  readonly name: string;
  /** It stops reading when a socket does not receive. */
  readonly flowControl: boolean;
  /** It lets clients send frames without a mask. */
  readonly unmasked?: boolean;
  serve(places: Places, identity?: AttachIdentity): Promise<AttachServer>;
}

type Page = (request: unknown, response: { end(text: string): void }) => void;

interface Tls {
  readonly key: string;
  readonly cert: string;
}

interface NodeServer {
  on(
    event: "upgrade",
    call: (
      request: NodeUpgradeRequest & { readonly url: string },
      connection: NodeUpgradeConnection,
      head: Uint8Array,
    ) => void,
  ): void;
  listen(port: number, host: string, done: () => void): void;
  address(): { readonly port: number };
  close(done: () => void): void;
}

interface Globals {
  readonly Deno: {
    serve(
      options: Partial<Tls> & { port: number; hostname: string; onListen(): void },
      handler: (request: Request, info: ConnectionInfo) => Response,
    ): { readonly addr: { readonly port: number }; shutdown(): Promise<void> };
  };
  readonly Bun: {
    serve(options: {
      port: number;
      hostname: string;
      tls?: Tls;
      fetch(request: Request, server: BunWebSocketServer): Response;
      websocket: object;
    }): { readonly port: number; stop(): Promise<void> };
  };
  readonly process: {
    getBuiltinModule(name: "node:http"): { createServer(page: Page): NodeServer };
    getBuiltinModule(name: "node:https"): { createServer(options: Tls, page: Page): NodeServer };
  };
}

const { Deno, Bun, process } = globalThis as unknown as Globals;
const HOST = "127.0.0.1";

/** What every path answers that is none of a socket. */
export const PAGE = "A page";

/** What a handler does for a request, on the servers that have such. */
function answer(
  places: Places,
  request: Request,
  from: ConnectionInfo | BunWebSocketServer,
): Response {
  const socket = places[new URL(request.url).pathname];
  return (socket && upgrade(socket, request, from)) ?? new Response(PAGE);
}

function tlsOf(identity: AttachIdentity | undefined): Tls | undefined {
  return identity && { key: identity.key, cert: identity.certificate };
}

function nodeServer(identity: AttachIdentity | undefined): NodeServer {
  const page: Page = (_, response) => response.end(PAGE);
  const tls = tlsOf(identity);
  return tls === undefined
    ? process.getBuiltinModule("node:http").createServer(page)
    : process.getBuiltinModule("node:https").createServer(tls, page);
}

/** The server of node:http, which Deno and Bun have as well. */
const nodeKind: AttachKind = {
  name: `node:http on ${runtimeName}`,
  flowControl: true,
  serve: (places, identity) =>
    new Promise((resolve) => {
      const server = nodeServer(identity);
      server.on("upgrade", (request, connection, head) => {
        const socket = places[request.url.replace(/\?.*/, "")];
        const taken = socket && upgrade(socket, request, connection, head);
        if (!taken) connection.destroy();
      });
      server.listen(0, HOST, () =>
        resolve(
          new AttachServer(
            server.address().port,
            () => new Promise((closed) => server.close(closed)),
          ),
        ));
    }),
};

const denoKind: AttachKind = {
  name: "Deno.serve",
  flowControl: false,
  unmasked: true,
  serve(places, identity) {
    const server = Deno.serve(
      { port: 0, hostname: HOST, onListen() {}, ...tlsOf(identity) },
      (request, info) => answer(places, request, info),
    );
    return Promise.resolve(new AttachServer(server.addr.port, () => server.shutdown()));
  },
};

const bunKind: AttachKind = {
  name: "Bun.serve",
  flowControl: true,
  serve(places, identity) {
    const tls = tlsOf(identity);
    const server = Bun.serve({
      port: 0,
      hostname: HOST,
      ...(tls && { tls }),
      fetch: (request, own) => answer(places, request, own),
      websocket: webSocketHandlers(),
    });
    return Promise.resolve(new AttachServer(server.port, () => server.stop()));
  },
};

/** The kinds of servers that this runtime has. */
export const attachKinds: readonly AttachKind[] = runtimeName === "Deno"
  ? [nodeKind, denoKind]
  : runtimeName === "Bun"
  ? [nodeKind, bunKind]
  : [nodeKind];
