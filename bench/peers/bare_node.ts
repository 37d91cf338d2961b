// The limit on Node: node:net.

import { connect as dial, createServer, type Server, type Socket } from "node:net";
import {
  CHUNK_BYTES,
  CONNECT_BYTES,
  formatEndpoint,
  HOSTNAME,
  parseEndpoint,
  roundTripBytes,
} from "./bare.ts";
import { type Count, report, runPeer } from "./peer.ts";

function listen(onConnection: (socket: Socket) => void): void {
  const server: Server = createServer({ noDelay: true }, onConnection);
  server.listen(0, HOSTNAME, () => {
    const address = server.address();
    if (address && typeof address === "object") {
      report({ listening: formatEndpoint(address.port) });
    }
  });
}

function connect(endpoint: string): Promise<Socket> {
  const { hostname, port } = parseEndpoint(endpoint);
  return new Promise((resolve, reject) => {
    const socket = dial({ host: hostname, port, noDelay: true }, () => resolve(socket));
    socket.once("error", reject);
  });
}

function roundTripper(socket: Socket, length: number): () => Promise<void> {
  const request = new Uint8Array(length);
  let missing = 0;
  let arrived: () => void;
  socket.on("data", (chunk) => {
    missing -= chunk.length;
    if (missing === 0) arrived();
  });
  return () =>
    new Promise((resolve) => {
      arrived = resolve;
      missing = length;
      socket.write(request);
    });
}

await runPeer({
  pull(_size, window) {
    return new Promise<Count>((resolve) => {
      let received = 0;
      listen((socket) => {
        socket.on("data", (chunk) => {
          received += chunk.length;
          const result = window.observe(received);
          if (result) resolve(result);
        });
      });
    });
  },

  async push(endpoint) {
    const socket = await connect(endpoint);
    const chunk = new Uint8Array(CHUNK_BYTES);
    for (;;) await new Promise((resolve) => socket.write(chunk, resolve));
  },

  rep() {
    listen((socket) => {
      socket.on("data", (chunk) => socket.write(chunk));
    });
    return new Promise(() => {});
  },

  async req(endpoint, size) {
    return roundTripper(await connect(endpoint), roundTripBytes(size));
  },

  async connect(endpoint) {
    const socket = await connect(endpoint);
    await roundTripper(socket, CONNECT_BYTES)();
    socket.end();
  },
});
