// The limit on Deno: Deno.listen and Deno.connect.

import {
  CHUNK_BYTES,
  CONNECT_BYTES,
  formatEndpoint,
  HOSTNAME,
  parseEndpoint,
  roundTripBytes,
} from "./bare.ts";
import { report, runPeer } from "./peer.ts";

function listen(): Deno.TcpListener {
  const listener = Deno.listen({ hostname: HOSTNAME, port: 0 });
  report({ listening: formatEndpoint(listener.addr.port) });
  return listener;
}

async function connect(endpoint: string): Promise<Deno.TcpConn> {
  const conn = await Deno.connect(parseEndpoint(endpoint));
  conn.setNoDelay();
  return conn;
}

async function writeAll(conn: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  let written = await conn.write(bytes);
  while (written < bytes.length) written += await conn.write(bytes.subarray(written));
}

async function readAll(conn: Deno.TcpConn, into: Uint8Array): Promise<void> {
  for (let read = 0; read < into.length;) {
    const count = await conn.read(read === 0 ? into : into.subarray(read));
    if (count === null) throw new Error("The connection ended in the middle of a round trip");
    read += count;
  }
}

async function echo(conn: Deno.TcpConn): Promise<void> {
  conn.setNoDelay();
  const buffer = new Uint8Array(CHUNK_BYTES);
  for (;;) {
    const count = await conn.read(buffer);
    if (count === null) return conn.close();
    await writeAll(conn, buffer.subarray(0, count));
  }
}

await runPeer({
  async pull(_size, window) {
    const conn = await listen().accept();
    const buffer = new Uint8Array(CHUNK_BYTES);
    for (let received = 0;;) {
      received += await conn.read(buffer) ?? 0;
      const result = window.observe(received);
      if (result) return result;
    }
  },

  async push(endpoint) {
    const conn = await connect(endpoint);
    const chunk = new Uint8Array(CHUNK_BYTES);
    for (;;) await writeAll(conn, chunk);
  },

  async rep() {
    for await (const conn of listen()) void echo(conn);
    throw new Error("The listener ended");
  },

  async req(endpoint, size) {
    const conn = await connect(endpoint);
    const request = new Uint8Array(roundTripBytes(size));
    const reply = new Uint8Array(roundTripBytes(size));
    return async () => {
      await writeAll(conn, request);
      await readAll(conn, reply);
    };
  },

  async connect(endpoint) {
    const conn = await connect(endpoint);
    const bytes = new Uint8Array(CONNECT_BYTES);
    await writeAll(conn, bytes);
    await readAll(conn, bytes);
    conn.close();
  },
});
