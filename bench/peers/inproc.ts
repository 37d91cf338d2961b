// The inproc jobs for everything with the zeromq.js v6 API: one process, one thread, all ends as
// concurrent loops.

import { clockStride, type Count, type Jobs, ThroughputWindow } from "./peer.ts";

interface Endpoint {
  bind(endpoint: string): Promise<void>;
  connect(endpoint: string): void;
}

interface Sender extends Endpoint {
  send(message: Uint8Array | Uint8Array[]): Promise<void>;
  // Only wasmq has these two.
  trySend?(message: Uint8Array): boolean;
}

interface Receiver extends Endpoint, AsyncIterable<Uint8Array[]> {
  receive(): Promise<Uint8Array[]>;
  tryReceive?(): Uint8Array[] | undefined;
}

/** The part of the zeromq.js v6 API that is measured. Sockets have their default options. */
export interface InprocApi {
  Pair: new () => Sender & Receiver;
  Push: new () => Sender;
  Pull: new () => Receiver;
}

const INPROC = "inproc://bench";
/** Promises are made only where an operation has to wait. */
const TRIED_FIRST = "tried-first";
/** How many round trips between two looks at the clock. */
const ROUND_TRIP_STRIDE = 64;

/** Makes the jobs of a ZeroMQ implementation. */
export function inprocJobs(zmq: InprocApi): Jobs {
  return {
    async "inproc-throughput"([size, warmupMs, windowMs, how]) {
      const receiver = new zmq.Pair();
      const sender = new zmq.Pair();
      await receiver.bind(INPROC);
      sender.connect(INPROC);
      const window = new ThroughputWindow(+warmupMs, +windowMs);
      return await Promise.race([
        countAll([receiver], +size, window, how),
        sendForEver(sender, +size, how),
      ]);
    },

    async "inproc-latency"([size, warmupMs, windowMs]) {
      const [asking, answering] = [new zmq.Pair(), new zmq.Pair()];
      await asking.bind(INPROC);
      answering.connect(INPROC);
      const window = new ThroughputWindow(+warmupMs, +windowMs);
      return await Promise.race([
        countRoundTrips(asking, +size, window),
        echoForEver(answering),
      ]);
    },

    async "inproc-workers"([workers, size, warmupMs, windowMs, how]) {
      const sender = new zmq.Push();
      await sender.bind(INPROC);
      const receivers = Array.from({ length: +workers }, () => new zmq.Pull());
      for (const receiver of receivers) receiver.connect(INPROC);
      const window = new ThroughputWindow(+warmupMs, +windowMs);
      return await Promise.race([
        countAll(receivers, +size, window, how),
        sendForEver(sender, +size, how),
      ]);
    },
  };
}

async function sendForEver(socket: Sender, size: number, how?: string): Promise<never> {
  const payload = new Uint8Array(size);
  if (how !== TRIED_FIRST) { for (;;) await socket.send(payload); }
  for (;;) {
    if (!socket.trySend!(payload)) await socket.send(payload);
  }
}

async function echoForEver(socket: Sender & Receiver): Promise<never> {
  for (;;) await socket.send(await socket.receive());
}

async function countRoundTrips(
  socket: Sender & Receiver,
  size: number,
  window: ThroughputWindow,
): Promise<Count> {
  const payload = new Uint8Array(size);
  for (let count = 1;; count++) {
    await socket.send(payload);
    checkSize((await socket.receive())[0], size);
    if (count % ROUND_TRIP_STRIDE) continue;
    const result = window.observe(count);
    if (result) return result;
  }
}

/** Counts what all of them receive together. */
function countAll(
  receivers: readonly Receiver[],
  size: number,
  window: ThroughputWindow,
  how?: string,
): Promise<Count> {
  const stride = clockStride(size);
  let untilClock = stride;
  let received = 0;
  return new Promise((resolve, reject) => {
    function count(frame: Uint8Array): void {
      checkSize(frame, size);
      received++;
      if (--untilClock > 0) return;
      untilClock = stride;
      const result = window.observe(received);
      if (result) resolve(result);
    }
    async function receive(socket: Receiver): Promise<void> {
      for await (const [frame] of socket) count(frame);
    }
    async function tryFirst(socket: Receiver): Promise<void> {
      for (;;) count((socket.tryReceive!() ?? await socket.receive())[0]);
    }
    const take = how === TRIED_FIRST ? tryFirst : receive;
    for (const socket of receivers) take(socket).catch(reject);
  });
}

function checkSize(frame: Uint8Array, size: number): void {
  if (frame.length !== size) {
    throw new Error(`Received a message of ${frame.length} bytes instead of ${size}`);
  }
}
