// STREAM: a way to talk to programs that do not speak ZeroMQ.

import type { CommonOptions, NotifyOptions, ReceiveOptions, SendOptions } from "../options.ts";
import { StreamPattern } from "../routing/stream.ts";
import { assignedId, type RouterConnectOptions } from "./dealer_router.ts";
import { engineOf } from "./inside.ts";
import { complete, type Readable, Socket, type SocketOptions, type Writable } from "./socket.ts";

/** What `Stream.connect` takes beside the endpoint. */
export type StreamConnectOptions = RouterConnectOptions;

/**
 * Sends and receives plain octets over tcp (or ipc), for peers that do not speak ZeroMQ. A message has two frames: the
 * routing id of a connection, and octets as they came. With `notify` an empty second frame tells of a new connection, and
 * of the end of one; sending an empty second frame ends a connection once all is sent. Octets for a connection that is over
 * are an error (`EHOSTUNREACH`).
 *
 * @example Half of a web server
 * ```ts
 * import { Stream } from "@wasmq/wasmq";
 *
 * const server = new Stream();
 * await server.bind("tcp://127.0.0.1:*");
 * const url = server.lastEndpoint!.replace("tcp", "http");
 * const page = fetch(url).then((response) => response.text());
 *
 * for await (const [id, request] of server) {
 *   if (!request.toString().endsWith("\r\n\r\n")) continue; // a connection, or the start of a request
 *   await server.send([id, "HTTP/1.0 200 OK\r\n\r\nhello"]);
 *   await server.send([id, ""]);
 *   break;
 * }
 * console.log(await page); // "hello"
 * await server.close();
 * ```
 */
export class Stream extends Socket {
  /** Makes a STREAM socket. */
  constructor(
    options?: SocketOptions<CommonOptions & SendOptions & ReceiveOptions & NotifyOptions>,
  ) {
    super("STREAM", (tools) => new StreamPattern(tools.options), options);
  }

  /**
   * Connects to a peer, as `Socket.connect`, and may name the connection. When the peer ends it, another one is made in its
   * place, with the same routing id, unless `reconnectInterval` is -1.
   *
   * @throws {ZmqError} `EADDRINUSE` when another connection has that routing id.
   */
  override connect(address: string, options: StreamConnectOptions = {}): void {
    engineOf(this).connect(address, assignedId(options));
  }
}

/** What a Stream can do, and its options. */
export interface Stream extends Writable, Readable, SendOptions, ReceiveOptions, NotifyOptions {}

complete(Stream, { sends: true, receives: true, options: ["notify"] });
