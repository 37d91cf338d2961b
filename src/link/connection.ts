// Connections that were made elsewhere, as a socket takes them.

import { withCode } from "../errors.ts";
import type { ByteStream, WebSocketLike } from "./stream.ts";
import { endsOf, type OctetStreams, WebStream } from "./web_stream.ts";
import { NativeStream } from "./websocket/native.ts";

/**
 * A connection to a peer: octets both ways as web streams (workerd's `Socket`, Deno's connections), a WebSocket on which
 * `ZWS2.0` was agreed, or a stream of a runtime of one's own.
 */
export type Connection = OctetStreams | WebSocketLike | ByteStream;

/**
 * The stream of a connection.
 *
 * @throws {TypeError} Rejects with `EINVAL` for what is no connection.
 */
export async function streamOf(connection: Connection): Promise<ByteStream> {
  if (typeof connection !== "object" || connection === null) throw noConnection(connection);
  if ("readable" in connection && "writable" in connection) {
    return new WebStream(connection, await endsOf(connection));
  }
  if ("binaryType" in connection) return new NativeStream(connection);
  if ("start" in connection && "write" in connection) return connection;
  throw noConnection(connection);
}

function noConnection(value: unknown): TypeError {
  return withCode(
    new TypeError(
      `Cannot accept ${
        value === null ? "null" : `a ${typeof value}`
      }: a connection has readable and writable ` +
        "streams, or is a WebSocket",
    ),
    "EINVAL",
  );
}
