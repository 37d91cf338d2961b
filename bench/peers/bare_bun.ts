// The limit on Bun: Bun.listen and Bun.connect.

import {
  CHUNK_BYTES,
  CONNECT_BYTES,
  formatEndpoint,
  HOSTNAME,
  parseEndpoint,
  roundTripBytes,
} from "./bare.ts";
import { type Count, report, runPeer } from "./peer.ts";

// The few members used here; the repository does not depend on Bun's types.
interface BunSocket {
  write(bytes: Uint8Array, offset?: number, length?: number): number;
  setNoDelay(on: boolean): void;
  end(): void;
}

interface BunHandlers {
  open?(socket: BunSocket): void;
  data(socket: BunSocket, chunk: Uint8Array): void;
  drain?(socket: BunSocket): void;
}

declare const Bun: {
  listen(options: { hostname: string; port: number; socket: BunHandlers }): { port: number };
  connect(options: { hostname: string; port: number; socket: BunHandlers }): Promise<BunSocket>;
};

function listen(socket: BunHandlers): void {
  const listener = Bun.listen({ hostname: HOSTNAME, port: 0, socket });
  report({ listening: formatEndpoint(listener.port) });
}

async function connect(endpoint: string, handlers: BunHandlers): Promise<BunSocket> {
  const socket = await Bun.connect({ ...parseEndpoint(endpoint), socket: handlers });
  socket.setNoDelay(true);
  return socket;
}

/** Messages here are far smaller than the socket's buffer: a short write would be a bug. */
function writeAll(socket: BunSocket, bytes: Uint8Array): void {
  const written = socket.write(bytes);
  if (written !== bytes.length) throw new Error(`Wrote ${written} of ${bytes.length} bytes`);
}

interface RoundTripper {
  socket: BunSocket;
  roundTrip(): Promise<void>;
}

async function openRoundTripper(endpoint: string, length: number): Promise<RoundTripper> {
  const request = new Uint8Array(length);
  let missing = 0;
  let arrived: () => void;
  const socket = await connect(endpoint, {
    data(_socket, chunk) {
      missing -= chunk.length;
      if (missing === 0) arrived();
    },
  });
  const roundTrip = () =>
    new Promise<void>((resolve) => {
      arrived = resolve;
      missing = length;
      writeAll(socket, request);
    });
  return { socket, roundTrip };
}

await runPeer({
  pull(_size, window) {
    return new Promise<Count>((resolve) => {
      let received = 0;
      listen({
        data(_socket, chunk) {
          received += chunk.length;
          const result = window.observe(received);
          if (result) resolve(result);
        },
      });
    });
  },

  async push(endpoint) {
    const chunk = new Uint8Array(CHUNK_BYTES);
    // A write takes its bytes before it returns; a short one means "go on at the next drain".
    let offset = 0;
    const fill = (socket: BunSocket) => {
      for (;;) {
        const room = chunk.length - offset;
        const written = socket.write(chunk, offset, room);
        offset = written === room ? 0 : offset + Math.max(written, 0);
        if (written < room) return;
      }
    };
    fill(await connect(endpoint, { data() {}, drain: fill }));
    return new Promise<never>(() => {});
  },

  rep() {
    listen({
      open: (socket) => socket.setNoDelay(true),
      data: writeAll,
    });
    return new Promise<never>(() => {});
  },

  async req(endpoint, size) {
    return (await openRoundTripper(endpoint, roundTripBytes(size))).roundTrip;
  },

  async connect(endpoint) {
    const { socket, roundTrip } = await openRoundTripper(endpoint, CONNECT_BYTES);
    await roundTrip();
    socket.end();
  },
});
