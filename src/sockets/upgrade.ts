// Peers that come by way of an HTTP server of the user's own: it hands a request for a WebSocket to a socket.

import type { StreamAddress } from "../endpoint.ts";
import { EndpointError, withCode, ZmqError } from "../errors.ts";
import { peerAddress } from "../link/addresses.ts";
import { whyNot } from "../link/guests.ts";
import { tellFailure } from "../link/telling.ts";
import { NativeStream } from "../link/websocket/native.ts";
import { ServerSide } from "../link/websocket/sides.ts";
import type { BunWebSocketServer } from "../runtime/upgrade_bun.ts";
import {
  type NodeUpgradeConnection,
  type NodeUpgradeRequest,
  UpgradedStream,
} from "../runtime/upgrade_node.ts";
import {
  type ConnectionInfo,
  remoteOf,
  type Upgrade,
  type Upgraded,
  upgradeOf,
} from "../runtime/upgrade_web.ts";
import { HttpRefusal } from "../wire/websocket/fault.ts";
import { type FieldValues, hasWord } from "../wire/websocket/fields.ts";
import { checkMethod, readUpgrade } from "../wire/websocket/request.ts";
import { encodeRefusal } from "../wire/websocket/response.ts";
import type { Engine } from "./engine.ts";
import { engineOf } from "./inside.ts";
import { Socket } from "./socket.ts";

/** Any path: the server has chosen by it already. */
const ANY_PATH = "/";
/** Where the server listens, it does not tell. */
const SOMEWHERE = "ws://*";
const NOBODY = new Uint8Array(0);

/**
 * Hands a request for a WebSocket to a socket, which then has one more peer: ZeroMQ over WebSocket on the HTTP server that a
 * program has anyway, beside its pages. The socket need not be bound anywhere. The connection ends with the socket.
 *
 * Whom the socket lets in, its options say, as for `bind("ws://…")`: `origins`, the security mechanism, `tcpAcceptFilter`,
 * `maxMessageSize`. The path is the server's matter: call this for those paths at which the socket is to be found.
 *
 * @param socket Who gets the peer.
 * @param request What the server gave to its handler.
 * @param from What it gave beside that: the `info` of `Deno.serve`, or the `server` of `Bun.serve`, which also needs
 * `websocket: webSocketHandlers()`. On workerd it may be left out. Behind a proxy, `{ remoteAddr: { hostname } }` with the
 * address that the proxy tells.
 * @returns What the handler has to answer; undefined for a request that asks for no WebSocket. A request that may not come in
 * gets a status that says why, which the socket's `events` tell as well.
 * @throws {TypeError} `EINVAL` without `from` where it is needed.
 * @throws {ZmqError} `ENOTSUP` on a runtime whose server this package does not know; `EINVAL` when the socket's security
 * options contradict each other.
 *
 * @example A page's data beside the page
 * ```ts
 * import { Publisher, upgrade } from "@wasmq/wasmq";
 *
 * const publisher = new Publisher();
 * const server = Deno.serve({ port: 0 }, (request, info) => {
 *   const { pathname } = new URL(request.url);
 *   if (pathname !== "/zmq") return new Response("Hello");
 *   return upgrade(publisher, request, info) ?? new Response("Only WebSockets", { status: 426 });
 * });
 * await publisher.close();
 * await server.shutdown();
 * ```
 */
export function upgrade(
  socket: Socket,
  request: Request,
  from?: ConnectionInfo | BunWebSocketServer,
): Response | undefined;
/**
 * The same for a server of node:http or node:https, for its event `upgrade`, on Node, Deno and Bun. What a socket does not
 * receive waits at the peer here and with Bun.serve. Deno.serve and workerd cannot stop reading: there a connection ends
 * (`ENOBUFS`) when 16 MiB wait.
 *
 * @param socket Who gets the peer.
 * @param request What the event gives, as the next two.
 * @param connection The connection.
 * @param head What was read from it behind the request.
 * @returns False for a request that asks for no WebSocket, with which nothing was done; else the connection is the socket's
 * matter, also when it is refused.
 * @throws {ZmqError} `EINVAL` when the socket's security options contradict each other.
 *
 * @example Data for pages on a server of node:http
 * ```ts
 * import { createServer } from "node:http";
 * import { Publisher, upgrade } from "@wasmq/wasmq";
 *
 * const publisher = new Publisher();
 * const server = createServer((_request, response) => response.end("Hello"));
 * server.on("upgrade", (request, connection, head) => {
 *   if (!upgrade(publisher, request, connection, head)) connection.destroy();
 * });
 * server.listen(0, async () => {
 *   await publisher.close();
 *   server.close();
 * });
 * ```
 */
export function upgrade(
  socket: Socket,
  request: NodeUpgradeRequest,
  connection: NodeUpgradeConnection,
  head: Uint8Array,
): boolean;
export function upgrade(
  socket: Socket,
  request: Request | NodeUpgradeRequest,
  from?: ConnectionInfo | BunWebSocketServer | NodeUpgradeConnection,
  head?: Uint8Array,
): Response | boolean | undefined {
  if (!(socket instanceof Socket)) {
    throw withCode(new TypeError(`upgrade takes a socket first, not ${typeof socket}`), "EINVAL");
  }
  const engine = engineOf(socket);
  if ("rawHeaders" in request) {
    return upgradeConnection(engine, request, from as NodeUpgradeConnection, head ?? NOBODY);
  }
  return upgradeRequest(engine, request, from as ConnectionInfo | BunWebSocketServer | undefined);
}

function upgradeConnection(
  engine: Engine,
  request: NodeUpgradeRequest,
  connection: NodeUpgradeConnection,
  head: Uint8Array,
): boolean {
  if (!hasWord(fieldsOfList(request.rawHeaders), "upgrade", "websocket")) return false;
  assertAble(engine);
  if (engine.closed) {
    connection.on("error", () => {});
    connection.write(encodeRefusal(closed()), () => connection.destroy());
    return true;
  }
  void engine.accept(new UpgradedStream(request, connection, head), ANY_PATH);
  return true;
}

function upgradeRequest(
  engine: Engine,
  request: Request,
  from: ConnectionInfo | BunWebSocketServer | undefined,
): Response | undefined {
  const fields = fieldsOf(request.headers);
  if (!hasWord(fields, "upgrade", "websocket")) return undefined;
  assertAble(engine);
  const open = upgradeOf(from);
  if (open === undefined) throw cannotUpgrade(from);
  const remote = remoteOf(request, from);
  const { monitor, options } = engine;
  const where = { address: SOMEWHERE, peerAddress: peerAddress(remote, SOMEWHERE) };
  const error = whyNot({ remote }, options.tcpAcceptFilter, true);
  if (error !== undefined) {
    monitor.emit({ type: "accept:error", ...where, error });
    return answerTo(new HttpRefusal(403, error.message));
  }
  try {
    const { webSocket, response } = admit(engine, request, fields, remote, open);
    void engine.accept(new NativeStream(webSocket));
    return response;
  } catch (refusal) {
    if (!(refusal instanceof HttpRefusal)) throw refusal;
    monitor.emit({ type: "accept", ...where });
    tellFailure(monitor, where, refusal.error);
    return answerTo(refusal);
  }
}

/** @throws {HttpRefusal} Why the request may not come in. */
function admit(
  engine: Engine,
  request: Request,
  fields: FieldValues,
  remote: StreamAddress,
  open: Upgrade,
): Upgraded {
  checkMethod(request.method);
  const { pathname, search } = new URL(request.url);
  const asked = readUpgrade(pathname + search, fields);
  if (engine.closed) throw closed();
  const { options } = engine;
  const protocol = new ServerSide(ANY_PATH, options).judge(asked, engine.introduction);
  const idleTimeout = Math.ceil(options.heartbeatInterval / 1000);
  const upgraded = open(request, { protocol, remote, idleTimeout });
  if (upgraded === undefined) throw new HttpRefusal(400, "the server makes no WebSocket of it");
  return upgraded;
}

/** Finds out what would fail later, with a WebSocket that is open already. */
function assertAble(engine: Engine): void {
  if (engine.type === "STREAM") {
    throw new EndpointError(
      "ENOCOMPATPROTO",
      "Cannot upgrade a request for a Stream: it talks to programs without ZeroMQ",
    );
  }
  engine.secure();
}

function closed(): HttpRefusal {
  return new HttpRefusal(503, "the socket is closed");
}

function cannotUpgrade(from: unknown): Error {
  if (from === undefined) {
    return withCode(
      new TypeError(
        "upgrade takes what the handler got beside the request: the info of Deno.serve, or the server of Bun.serve",
      ),
      "EINVAL",
    );
  }
  return new ZmqError(
    "ENOTSUP",
    "This runtime makes no WebSocket of a Request: call upgrade(socket, request, connection, head) " +
      `for the event "upgrade" of node:http`,
  );
}

function fieldsOf(headers: Headers): FieldValues {
  return (name) => {
    const value = headers.get(name);
    return value === null ? [] : [value];
  };
}

/** Names and values by turns. */
function fieldsOfList(list: readonly string[]): FieldValues {
  return (name) => list.filter((_, i) => i % 2 === 1 && list[i - 1].toLowerCase() === name);
}

function answerTo({ status, text, headers }: HttpRefusal): Response {
  return new Response(`${text}\n`, {
    status,
    headers: { "X-Content-Type-Options": "nosniff", ...Object.fromEntries(headers) },
  });
}
