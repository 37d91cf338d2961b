// Sockets that are driven by text: one JSON command per line, each answered by one line, as libzmq_peer.mjs does. What holds
// them can be another runtime's process, a page, or this very process; peer.ts drives all alike.

import { fromHex, toHex } from "./bytes.ts";
import { findDifference, makeMessage } from "./messages.mjs";
import type { MessageSpec, PeerSocketType } from "./peer.ts";

/** An event, as it can be told in text. */
export interface DrivenEvent {
  readonly type: string;
  /** What a handshake agreed on, e.g. "ZWS2.0". */
  readonly protocol?: string | undefined;
  /** The code of its error. */
  readonly code?: string | undefined;
}

/** What is used of a socket, whosever it is. */
export interface DrivenSocket {
  /** Binds; the endpoint with its real port. */
  bind(endpoint: string): Promise<string>;
  connect(endpoint: string): void;
  send(frames: Uint8Array[]): Promise<void>;
  receive(): Promise<Uint8Array[]>;
  /** Subscribes (1) to a topic or cancels that (0). */
  request(first: 0 | 1, topic: Uint8Array): Promise<void>;
  /** What its connections told so far. */
  eventLog(): readonly DrivenEvent[];
  close(): Promise<void>;
}

/** Opens a socket of a type by the names of zeromq.js, with its options. */
export type OpenSocket = (type: PeerSocketType, options: Record<string, unknown>) => DrivenSocket;

interface Command {
  readonly id: number;
  readonly command: string;
  readonly name: string;
  readonly type: PeerSocketType;
  readonly options: Record<string, unknown>;
  readonly endpoint: string;
  readonly frames: string[];
  readonly messages: string[][];
  readonly last: string[];
  readonly topics: string[];
  readonly prefix: string[];
  readonly spec: MessageSpec;
  readonly skip: number;
  readonly count: number;
}

type Action = (socket: DrivenSocket, command: Command) => unknown;

const hexOf = (frames: readonly Uint8Array[]): string[] => frames.map(toHex);

const ACTIONS: Readonly<Record<string, Action>> = {
  bind: (socket, { endpoint }) => socket.bind(endpoint),
  connect: (socket, { endpoint }) => socket.connect(endpoint),
  eventLog: (socket) => socket.eventLog(),
  send: (socket, { frames }) => socket.send(frames.map(fromHex)),
  receive: async (socket) => hexOf(await socket.receive()),

  async subscribe(socket, { topics }) {
    for (const topic of topics) await socket.request(1, fromHex(topic));
  },

  async unsubscribe(socket, { topics }) {
    for (const topic of topics) await socket.request(0, fromHex(topic));
  },

  async sendEach(socket, { messages }) {
    for (const frames of messages) await socket.send(frames.map(fromHex));
  },

  /** Receives all that comes before a message with these frames. */
  async receiveUntil(socket, { last }) {
    const messages: string[][] = [];
    for (;;) {
      const frames = hexOf(await socket.receive());
      if (frames.join() === last.join() && frames.length === last.length) return messages;
      messages.push(frames);
    }
  },

  async sendMany(socket, { spec, prefix }) {
    const head = prefix.map(fromHex);
    for (let i = 0; i < spec.count; i++) await socket.send([...head, ...makeMessage(spec, i)]);
  },

  async receiveMany(socket, { spec, skip }) {
    for (let i = 0; i < spec.count; i++) check((await socket.receive()).slice(skip), spec, i);
  },

  /** Lock-step: request, reply, compare. */
  async exchange(socket, { spec }) {
    for (let i = 0; i < spec.count; i++) {
      await socket.send(makeMessage(spec, i));
      check(await socket.receive(), spec, i);
    }
  },

  async echo(socket, { count }) {
    for (let i = 0; i < count; i++) await socket.send(await socket.receive());
  },
};

/** The sockets of one place. */
export class DrivenSockets {
  readonly #open: OpenSocket;
  readonly #sockets: Map<string, DrivenSocket> = new Map();

  constructor(open: OpenSocket) {
    this.#open = open;
  }

  /** Carries out a line; the line that answers it. */
  async answer(line: string): Promise<string> {
    const command = JSON.parse(line) as Command;
    try {
      const value = await this.#run(command);
      return JSON.stringify({ id: command.id, value });
    } catch (error) {
      const { message, code } = error as Error & { code?: string };
      return JSON.stringify({ id: command.id, error: `${command.command}: ${message}`, code });
    }
  }

  /** Closes those that are open. */
  async close(): Promise<void> {
    const sockets = [...this.#sockets.values()];
    this.#sockets.clear();
    await Promise.all(sockets.map((socket) => socket.close()));
  }

  #run(command: Command): unknown {
    const { name } = command;
    if (command.command === "open") {
      this.#sockets.set(name, this.#open(command.type, command.options));
      return;
    }
    const socket = this.#sockets.get(name);
    if (!socket) throw new Error(`no socket ${name}`);
    if (command.command !== "close") return ACTIONS[command.command](socket, command);
    this.#sockets.delete(name);
    return socket.close();
  }
}

function check(frames: readonly Uint8Array[], spec: MessageSpec, index: number): void {
  const difference = findDifference(frames, spec, index);
  if (difference) throw new Error(difference);
}
