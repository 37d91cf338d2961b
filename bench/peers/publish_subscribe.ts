// The publish-subscribe jobs for everything with the zeromq.js v6 API.

import process from "node:process";
import { clockStride, type Count, type Jobs, report, ThroughputWindow } from "./peer.ts";

interface Endpoint {
  bind(endpoint: string): Promise<void>;
  connect(endpoint: string): void;
  readonly lastEndpoint: string | null;
}

interface Publisher extends Endpoint {
  send(message: Uint8Array): Promise<void>;
}

interface Subscriber extends Endpoint, AsyncIterable<Uint8Array[]> {
  subscribe(...topics: string[]): void;
}

/** The part of the zeromq.js v6 API that is measured; `F` and `B` are what its Proxy takes. */
export interface PublishSubscribeApi<F extends Endpoint, B extends Endpoint> {
  Publisher: new (options?: { backlog: number }) => Publisher;
  Subscriber: new () => Subscriber;
  XSubscriber: new () => F;
  XPublisher: new () => B;
  Proxy: new (frontEnd: F, backEnd: B) => { run(): Promise<void> };
}

const ANY_PORT = "tcp://127.0.0.1:*";
/** As many connections at once as there are subscribers. */
const BACKLOG = 1024;
/** How often a subscriber of few messages looks at the clock. */
const FILTERED_STRIDE = 16;
const TOPICS = 100;
const WANTED = "42";

/** Makes the jobs of a ZeroMQ implementation. */
export function publishSubscribeJobs<F extends Endpoint, B extends Endpoint>(
  zmq: PublishSubscribeApi<F, B>,
): Jobs {
  async function listen(socket: Endpoint): Promise<void> {
    await socket.bind(ANY_PORT);
    report({ listening: socket.lastEndpoint });
  }

  return {
    async publish([size, endpoint]) {
      const socket = new zmq.Publisher({ backlog: BACKLOG });
      const payload = new Uint8Array(Number(size));
      if (endpoint) socket.connect(endpoint);
      else await listen(socket);
      await beforeGo(() => socket.send(payload));
      for (;;) await socket.send(payload);
    },

    subscribe([endpoint, sockets, size, warmupMs, windowMs]) {
      const receivers = Array.from({ length: Number(sockets) }, () => new zmq.Subscriber());
      for (const socket of receivers) {
        socket.subscribe("");
        socket.connect(endpoint);
      }
      return countAll(receivers, Number(size), new ThroughputWindow(+warmupMs, +windowMs));
    },

    async "publish-topics"([endpoint, warmupMs, windowMs]) {
      const socket = new zmq.Publisher();
      socket.connect(endpoint);
      const bodies = Array.from(
        { length: TOPICS },
        (_, topic) => new TextEncoder().encode(`${String(topic).padStart(2, "0")} payload`),
      );
      const window = new ThroughputWindow(+warmupMs, +windowMs);
      let sent = 0;
      let isOver = false;
      for (;;) {
        for (const body of bodies) await socket.send(body);
        if (isOver) continue; // so that the subscriber's window comes to an end
        sent += TOPICS;
        const result = window.observe(sent);
        if (!result) continue;
        isOver = true;
        report({ ...result });
      }
    },

    async "subscribe-topic"([warmupMs, windowMs]) {
      const socket = new zmq.Subscriber();
      socket.subscribe(WANTED);
      await listen(socket);
      const window = new ThroughputWindow(+warmupMs, +windowMs);
      let received = 0;
      for await (const [frame] of socket) {
        if (frame[0] !== WANTED.charCodeAt(0) || frame[1] !== WANTED.charCodeAt(1)) {
          throw new Error(`Received a topic other than ${WANTED}`);
        }
        if (++received % FILTERED_STRIDE) continue;
        const result = window.observe(received);
        if (result) return result;
      }
      throw endedEarly();
    },

    async proxy() {
      const front = new zmq.XSubscriber();
      const back = new zmq.XPublisher();
      await front.bind(ANY_PORT);
      await back.bind(ANY_PORT);
      report({ listening: front.lastEndpoint, backEnd: back.lastEndpoint });
      await new zmq.Proxy(front, back).run();
      throw new Error("The proxy ended");
    },
  };
}

/** Sends now and then, so that subscribers are reached, until the runner writes a line. */
async function beforeGo(send: () => Promise<void>): Promise<void> {
  let isGo = false;
  process.stdin.once("data", () => {
    isGo = true;
    process.stdin.pause();
  });
  while (!isGo) {
    await send();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Counts what all of them receive, from when every one was reached. */
function countAll(
  receivers: readonly Subscriber[],
  size: number,
  window: ThroughputWindow,
): Promise<Count> {
  const stride = clockStride(size);
  let missing = receivers.length;
  let untilClock = stride;
  let received = 0;
  return new Promise((resolve, reject) => {
    async function receive(socket: Subscriber): Promise<void> {
      let isReached = false;
      for await (const [frame] of socket) {
        if (frame.length !== size) {
          throw new Error(`Received a message of ${frame.length} bytes instead of ${size}`);
        }
        if (!isReached) {
          isReached = true;
          if (--missing === 0) report({ reached: receivers.length });
        }
        received++;
        if (--untilClock > 0) continue;
        untilClock = stride;
        if (missing > 0) continue;
        const result = window.observe(received);
        if (result) return resolve(result);
      }
      throw endedEarly();
    }
    for (const socket of receivers) receive(socket).catch(reject);
  });
}

function endedEarly(): Error {
  return new Error("The Subscriber ended before the window was over");
}
