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

/** The options of CURVE. */
interface Keys {
  curveServer?: boolean;
  curveServerKey?: string;
  curvePublicKey?: string;
  curveSecretKey?: string;
}

/** The part of the zeromq.js v6 API that is measured. Sockets have their default options but for CURVE. */
export interface ZeromqApi {
  Push: new (options?: Keys) => Connectable & Writable;
  Pull: new (options?: Keys) => Bindable & Readable;
  Request: new (options?: Keys) => Connectable & Writable & Readable & Closable;
  Reply: new (options?: Keys) => Bindable & Writable & Readable;
  version: string;
}

/** What sockets are made with: those that bind, and those that connect. */
export interface Security {
  readonly bound: Keys;
  readonly connected: Keys;
}

/** CURVE with the keys of libzmq's manual, known to everybody. */
export const CURVE: Security = {
  bound: {
    curveServer: true,
    curvePublicKey: "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7",
    curveSecretKey: "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6",
  },
  connected: {
    curveServerKey: "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7",
    curvePublicKey: "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID",
    curveSecretKey: "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs",
  },
};

/** Makes a peer of a ZeroMQ implementation. */
export function zeromqPeer(zmq: ZeromqApi, security?: Security): Peer {
  async function listen(socket: Bindable, endpoint = "tcp://127.0.0.1:*"): Promise<void> {
    await socket.bind(endpoint);
    report({ listening: socket.lastEndpoint });
  }

  return {
    version: () => zmq.version,

    async pull(size, window, endpoint) {
      const socket = new zmq.Pull(security?.bound);
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
      const socket = new zmq.Push(security?.connected);
      socket.connect(endpoint);
      const payload = new Uint8Array(size);
      for (;;) await socket.send(payload);
    },

    async rep(endpoint) {
      const socket = new zmq.Reply(security?.bound);
      await listen(socket, endpoint);
      for (;;) await socket.send(await socket.receive());
    },

    req(endpoint, size) {
      const socket = new zmq.Request(security?.connected);
      socket.connect(endpoint);
      const payload = new Uint8Array(size);
      return Promise.resolve(async () => {
        await socket.send(payload);
        const [reply] = await socket.receive();
        if (reply.length !== size) throw wrongSize(size, reply.length);
      });
    },

    async connect(endpoint) {
      const socket = new zmq.Request(security?.connected);
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
