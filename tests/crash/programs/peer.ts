// A peer of ours as a process of its own that can be killed and frozen: it understands what libzmq_peer.mjs understands, as
// far as the crash tests need it, and is driven by peer.ts as well.

import * as wasmq from "../../../mod.ts";
import { fromHex, toHex } from "../../_util/bytes.ts";
import { pause } from "../../_util/deadline.ts";
import type { PeerEvent } from "../../_util/peer.ts";
import { receiveSequence, sendSequence } from "../../_util/traffic.ts";

type AnySocket = wasmq.Dealer & wasmq.Subscriber;

interface Command {
  readonly id: number;
  readonly command: string;
  readonly name: string;
  readonly type: "Dealer";
  readonly options: Record<string, unknown>;
  readonly option: string;
  readonly value: unknown;
  readonly endpoint: string;
  readonly frames: readonly string[];
  readonly topics: readonly string[];
  readonly from: number;
  readonly to: number;
  readonly filler: number;
  readonly count: number;
}

const { process } = globalThis as unknown as {
  process: {
    readonly stdin: {
      on(event: "data", listener: (chunk: Uint8Array) => void): void;
      on(event: "end", listener: () => void): void;
    };
    readonly stdout: { write(text: string): void };
    exit(code: number): never;
  };
};
const REBIND_MS = 5_000;
const sockets = new Map<string, AnySocket>();
const events = new Map<string, PeerEvent[]>();

/** A port that a killed process held can take a moment to become free. */
async function bind(socket: AnySocket, endpoint: string): Promise<string> {
  const deadline = performance.now() + REBIND_MS;
  for (;;) {
    try {
      await socket.bind(endpoint);
      return socket.lastEndpoint!;
    } catch (error) {
      const { code } = error as { code?: string };
      if (code !== "EADDRINUSE" || performance.now() > deadline) throw error;
      await pause(20);
    }
  }
}

async function record(socket: AnySocket, log: PeerEvent[]): Promise<void> {
  for await (const event of socket.events) {
    const { type, address, interval, error } = event as PeerEvent & { error?: { code?: string } };
    log.push({
      type,
      ...(address !== undefined && { address }),
      ...(interval !== undefined && { interval }),
      ...(error?.code !== undefined && { code: error.code }),
    });
  }
}

const commands: Record<string, (socket: AnySocket, command: Command) => unknown> = {
  bind: (socket, { endpoint }) => bind(socket, endpoint),
  unbind: (socket, { endpoint }) => socket.unbind(endpoint),
  connect: (socket, { endpoint }) => socket.connect(endpoint),
  disconnect: (socket, { endpoint }) => socket.disconnect(endpoint),
  close: (socket) => socket.close(),
  set: (socket, { option, value }) => void Object.assign(socket, { [option]: value }),
  subscribe: (socket, { topics }) => socket.subscribe(...topics.map(fromHex)),
  send: (socket, { frames }) => socket.send(frames.map(fromHex)),
  receive: async (socket) => (await socket.receive()).map((frame) => toHex(frame)),
  sendSequence: (socket, { from, to, filler }) => sendSequence(socket, from, to, filler),
  receiveSequence: (socket, { count }) => receiveSequence(socket, count),
  async echo(socket, { count }) {
    for (let i = 0; i < count; i++) await socket.send(await socket.receive());
  },
  eventLog: (_socket, { name }) => events.get(name),
};

async function run({ id, ...command }: Command): Promise<void> {
  let answer: object;
  try {
    answer = { id, value: await perform({ id, ...command }) };
  } catch (error) {
    const { message, code } = error as Error & { code?: string };
    answer = { id, error: message, code };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}

function perform(command: Command): unknown {
  const { name, type, options } = command;
  return command.command === "open"
    ? open(name, type, options)
    : commands[command.command](sockets.get(name)!, command);
}

function open(name: string, type: "Dealer", options: Record<string, unknown>): void {
  const socket = new wasmq[type](options) as AnySocket;
  const log: PeerEvent[] = [];
  sockets.set(name, socket);
  events.set(name, log);
  void record(socket, log);
}

const decoder = new TextDecoder();
let text = "";
process.stdin.on("data", (chunk) => {
  text += decoder.decode(chunk, { stream: true });
  for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n")) {
    void run(JSON.parse(text.slice(0, end)));
    text = text.slice(end + 1);
  }
});
process.stdin.on("end", () => process.exit(0));
