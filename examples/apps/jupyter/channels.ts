// The kernel's five sockets.

import { type Frame, Reply, Router, type Socket, XPublisher } from "../../../mod.ts";
import type { Channel, Connection } from "./connection.ts";
import { type Message, MessageError, type Outgoing, Wire } from "./messages.ts";

/** The channels that answer requests. */
export type RequestChannel = "shell" | "control" | "stdin";

/** What came in, and what of it was dropped. */
export interface ChannelStats {
  received: number;
  malformed: number;
  signature: number;
  replayed: number;
}

/** Larger messages cost their sender the connection. */
const MESSAGE_LIMIT = 256 * 1_024 * 1_024;
const PARTS_LIMIT = 1_024;
/** For each client. When it is full, cells that print have to wait. */
const IOPUB_QUEUE = 1_000;
/** A client that reads nothing for so long is not waited for any more: it loses messages. */
const PATIENCE_MS = 5_000;
/** Who reads must not lose any then: output is slowed down instead. */
const PACE_MS = 1;
/** At the end, for what clients have not got yet. */
const LINGER_MS = 1_000;
const SUBSCRIBE = 1;
/** Jupyter chose the ports a moment ago, and somebody else may have used one for a short while since. */
const BIND_TRIES = 20;
const BIND_PAUSE_MS = 250;

/** Sends and receives the kernel's messages. */
export class Channels {
  readonly stats: ChannelStats = { received: 0, malformed: 0, signature: 0, replayed: 0 };
  readonly #wire: Wire;
  readonly #endpoints: Readonly<Record<Channel, string>>;
  readonly #routers: Readonly<Record<RequestChannel, Router>>;
  readonly #iopub: XPublisher;
  readonly #heartbeat = new Reply({ linger: 0 });
  readonly #tell: (line: string) => void;
  /** What waits for a slow client. */
  #publishing: Promise<void> | undefined;

  /** `tell` gets a line about messages that are dropped. */
  constructor(connection: Connection, tell: (line: string) => void) {
    this.#wire = new Wire(connection.key, connection.digest);
    this.#endpoints = connection.endpoints;
    this.#tell = tell;
    const limits = {
      linger: LINGER_MS,
      maxMultipartSize: MESSAGE_LIMIT,
      maxMessageParts: PARTS_LIMIT,
    };
    // A client that comes back has the routing id of its session again.
    const router = (): Router => new Router({ ...limits, handover: true, mandatory: true });
    this.#routers = { shell: router(), control: router(), stdin: router() };
    this.#iopub = new XPublisher({
      linger: LINGER_MS,
      sendHighWaterMark: IOPUB_QUEUE,
      noDrop: true,
    });
  }

  /** Opens the sockets; heartbeats are answered from now on. */
  async bind(): Promise<void> {
    const sockets = { ...this.#routers, iopub: this.#iopub, hb: this.#heartbeat };
    const bind = (channel: Channel): Promise<void> =>
      bindPatiently(sockets[channel], this.#endpoints[channel]);
    await Promise.all((Object.keys(sockets) as Channel[]).map(bind));
    void this.#echo();
  }

  /** Resolves when somebody listens to iopub; false when the sockets were closed before. */
  async subscribed(): Promise<boolean> {
    try {
      while ((await this.#iopub.receive())[0][0] !== SUBSCRIBE);
    } catch {
      return false;
    }
    void this.#passOver();
    return true;
  }

  /** The next message that may be believed; undefined when the sockets are closed. */
  async receive(channel: RequestChannel): Promise<Message | undefined> {
    for (;;) {
      let frames: Frame[];
      try {
        frames = await this.#routers[channel].receive();
      } catch {
        return undefined;
      }
      const message = this.#read(channel, frames);
      if (message !== undefined) return message;
    }
  }

  /** The next message that has come already. */
  receiveNow(channel: RequestChannel): Message | undefined {
    for (;;) {
      const frames = this.#routers[channel].tryReceive();
      if (frames === undefined) return undefined;
      const message = this.#read(channel, frames);
      if (message !== undefined) return message;
    }
  }

  /** Sends to one client, without a wait; false when it is gone, or has not read for long. */
  send(channel: RequestChannel, identities: readonly Uint8Array[], message: Outgoing): boolean {
    try {
      return this.#routers[channel].trySend(this.#wire.write(identities, message));
    } catch {
      return false;
    }
  }

  /** Sends to all that listen, in order. The promise, if there is one, resolves when the slowest has room for it. */
  publish(message: Outgoing): Promise<void> | undefined {
    const topic = `kernel.${this.#wire.session}.${message.type}`;
    const frames = this.#wire.write([topic], message);
    const waits = this.#publishing !== undefined || !this.#iopub.noDrop;
    if (!waits && this.#trySend(frames)) return undefined;
    const before = this.#publishing;
    const turn = (async () => {
      await before;
      await this.#sendPatiently(frames);
    })();
    this.#publishing = turn;
    void turn.then(() => {
      if (this.#publishing === turn) this.#publishing = undefined;
    });
    return turn;
  }

  /** Closes the sockets, when what was sent has gone out or a second is over. */
  async close(): Promise<void> {
    const sockets = [...Object.values(this.#routers), this.#iopub, this.#heartbeat];
    await Promise.all(sockets.map((socket) => socket.close()));
  }

  #trySend(frames: readonly (Uint8Array | string)[]): boolean {
    try {
      return this.#iopub.trySend(frames);
    } catch {
      return true; // closed: nobody listens
    }
  }

  async #sendPatiently(frames: readonly (Uint8Array | string)[]): Promise<void> {
    if (!this.#iopub.noDrop) {
      this.#trySend(frames);
      await new Promise((resolve) => setTimeout(resolve, PACE_MS));
      return;
    }
    try {
      await this.#iopub.send(frames, { signal: AbortSignal.timeout(PATIENCE_MS) });
    } catch {
      if (this.#iopub.closed) return;
      this.#tell(
        "iopub: a client does not read; from now on it loses messages, and output is slower",
      );
      this.#iopub.noDrop = false;
      this.#trySend(frames);
    }
  }

  #read(channel: RequestChannel, frames: readonly Frame[]): Message | undefined {
    this.stats.received++;
    try {
      return this.#wire.read(frames);
    } catch (error) {
      if (!(error instanceof MessageError)) throw error;
      const count = ++this.stats[error.reason];
      // The 1st, 2nd, 4th, 8th …: who sends junk does not fill the log.
      if ((count & (count - 1)) === 0) {
        this.#tell(`${channel}: message dropped (${count} so far): ${error.message}`);
      }
      return undefined;
    }
  }

  async #echo(): Promise<void> {
    try {
      for await (const beat of this.#heartbeat) await this.#heartbeat.send(beat);
    } catch {
      // Closed.
    }
  }

  /** Requests that nobody reads would pile up. */
  async #passOver(): Promise<void> {
    try {
      for await (const _ of this.#iopub);
    } catch {
      // Closed.
    }
  }
}

async function bindPatiently(socket: Socket, endpoint: string): Promise<void> {
  for (let tries = 1;; tries++) {
    try {
      return await socket.bind(endpoint);
    } catch (error) {
      if (tries >= BIND_TRIES || (error as { code?: string }).code !== "EADDRINUSE") throw error;
      await new Promise((resolve) => setTimeout(resolve, BIND_PAUSE_MS));
    }
  }
}
