// The peer for everything with the zeromq.js v6 API: wasmq and zeromq.js run the same code.

import { clockStride, type Peer, report } from "./peer.ts";

interface Bindable {
  bind(endpoint: string): Promise<void>;
  readonly lastEndpoint: string | null;
}

interface Connectable {
  connect(endpoint: string): void;
}

interface Readable extends AsyncIterable<Uint8Array[]> {
  receive(): Promise<Uint8Array[]>;
}

interface Writable {
  send(message: Uint8Array | Uint8Array[]): Promise<void>;
}

interface Closable {
  // zeromq.js closes synchronously, wasmq returns a promise.
  close(): void | Promise<void>;
}

/** The part of the zeromq.js v6 API that is measured. Sockets have their default options. */
export interface ZeromqApi {
  Push: new () => Connectable & Writable;
  Pull: new () => Bindable & Readable;
  Request: new () => Connectable & Writable & Readable & Closable;
  Reply: new () => Bindable & Writable & Readable;
  version: string;
}

/** Makes a peer of a ZeroMQ implementation. */
export function zeromqPeer(zmq: ZeromqApi): Peer {
  async function listen(socket: Bindable, endpoint = "tcp://127.0.0.1:*"): Promise<void> {
    await socket.bind(endpoint);
    report({ listening: socket.lastEndpoint });
  }

  return {
    version: () => zmq.version,

    async pull(size, window, endpoint) {
      const socket = new zmq.Pull();
      await listen(socket, endpoint);
      const stride = clockStride(size);
      let untilClock = stride;
      let received = 0;
      for await (const [frame] of socket) {
        if (frame.length !== size) throw wrongSize(size, frame.length);
        received++;
        if (--untilClock > 0) continue;
        untilClock = stride;
        const result = window.observe(received);
        if (result) return result;
      }
      throw new Error("The Pull socket ended before the window was over");
    },

    async push(endpoint, size) {
      const socket = new zmq.Push();
      socket.connect(endpoint);
      const payload = new Uint8Array(size);
      for (;;) await socket.send(payload);
    },

    async rep(endpoint) {
      const socket = new zmq.Reply();
      await listen(socket, endpoint);
      for (;;) await socket.send(await socket.receive());
    },

    req(endpoint, size) {
      const socket = new zmq.Request();
      socket.connect(endpoint);
      const payload = new Uint8Array(size);
      return Promise.resolve(async () => {
        await socket.send(payload);
        const [reply] = await socket.receive();
        if (reply.length !== size) throw wrongSize(size, reply.length);
      });
    },

    async connect(endpoint) {
      const socket = new zmq.Request();
      socket.connect(endpoint);
      await socket.send(new Uint8Array(1));
      await socket.receive();
      await socket.close();
    },
  };
}

function wrongSize(expected: number, actual: number): Error {
  return new Error(`Received a message of ${actual} bytes instead of ${expected}`);
}
