// Our side of the interop tests: the same kinds of traffic as a libzmq peer's commands.

import type { MessageSpec, SequenceRuns } from "./peer.ts";
import { findDifference, makeMessage } from "./messages.mjs";
import { textOf, utf8 } from "./bytes.ts";

/** What can send. */
export interface Sender {
  send(message: (Uint8Array | string)[]): Promise<void>;
}

/** What can receive. */
export interface Receiver {
  receive(): Promise<Uint8Array[]>;
}

/** What can be closed. */
export interface Closable {
  linger: number;
  close(): Promise<void> | void;
}

/** The sizes around every border of the wire format and of the buffers. */
export const SIZES: readonly number[] = [
  0,
  1,
  254,
  255,
  256,
  257,
  8191,
  8192,
  65_535,
  65_536,
  1_048_576,
];

/** Every size in messages of one to five parts. */
export const GRID: MessageSpec = {
  seed: 1,
  count: SIZES.length * 5,
  sizes: SIZES,
  parts: [1, 5],
};

/** Ten thousand small messages of one to five parts. */
export const MANY: MessageSpec = {
  seed: 2,
  count: 10_000,
  sizes: [0, 1, 5, 31, 100, 254, 255, 256, 257, 1000],
  parts: [1, 5],
};

/** Closes in one go, without lingering, what a test opened. */
export class Opened {
  readonly #sockets: Closable[] = [];

  /** Remembers the socket. */
  add<S extends Closable>(socket: S): S {
    this.#sockets.push(socket);
    return socket;
  }

  /** Closes all of them. */
  async close(): Promise<void> {
    const sockets = this.#sockets.splice(0);
    for (const socket of sockets) socket.linger = 0;
    await Promise.all(sockets.map((socket) => socket.close()));
  }
}

/** Sends generated messages, each after the frames of `prefix`. */
export async function sendMany(
  socket: Sender,
  spec: MessageSpec,
  prefix: readonly string[] = [],
): Promise<void> {
  const head = prefix.map(utf8);
  for (let i = 0; i < spec.count; i++) await socket.send([...head, ...makeMessage(spec, i)]);
}

/** Receives generated messages and checks every byte, leaving out the first `skip` frames. */
export async function receiveMany(socket: Receiver, spec: MessageSpec, skip = 0): Promise<void> {
  for (let i = 0; i < spec.count; i++) check((await socket.receive()).slice(skip), spec, i);
}

/** Sends each generated message as a request and checks that the reply is the same. */
export async function exchange(socket: Sender & Receiver, spec: MessageSpec): Promise<void> {
  for (let i = 0; i < spec.count; i++) {
    await socket.send(makeMessage(spec, i));
    check(await socket.receive(), spec, i);
  }
}

/** Sends back what arrives, `count` times. */
export async function echo(socket: Sender & Receiver, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await socket.send(await socket.receive());
}

/** Sends `[number, filler]` for each number from `from` up to but not including `to`. */
export async function sendSequence(
  socket: Sender,
  from: number,
  to: number,
  filler = 0,
): Promise<void> {
  const body = new Uint8Array(filler).fill(0x2e);
  for (let i = from; i < to; i++) await socket.send([String(i), body]);
}

/** Receives `count` numbered messages; the gapless runs they came in. */
export async function receiveSequence(socket: Receiver, count: number): Promise<SequenceRuns> {
  const runs: [number, number][] = [];
  for (let i = 0; i < count; i++) {
    const number = Number(textOf((await socket.receive())[0]));
    const run = runs.at(-1);
    if (run && run[1] + 1 === number) run[1] = number;
    else runs.push([number, number]);
  }
  return runs;
}

function check(frames: readonly Uint8Array[], spec: MessageSpec, index: number): void {
  const difference = findDifference(frames, spec, index);
  if (difference) throw new Error(difference);
}
