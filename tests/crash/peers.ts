// Peers that are processes of their own, on each runtime and with libzmq: what can be killed, frozen and cut off.

import { eventually, pause } from "../_util/deadline.ts";
import type { EventLog } from "../_util/event_log.ts";
import { Peer, type PeerEvent, type PeerOptions, type PeerSocket } from "../_util/peer.ts";
import type { PeerSocketType } from "../_util/peer.ts";
import { runtimeName } from "../_util/process.ts";

/** What a peer runs on. */
export type Side = "Deno" | "Bun" | "Node" | "libzmq";

/** What is installed here. libzmq runs in a Node process. */
export const SIDES: readonly Side[] = (["Deno", "Bun", "Node", "libzmq"] as const)
  .filter((side) => findBinary(side) !== undefined);

/** Two of them, others for each number: all of them everywhere would take too long. */
export function twoSides(number: number): readonly Side[] {
  return [0, 1].map((i) => SIDES[(number + i) % SIDES.length]);
}

interface ProcessGlobal {
  readonly execPath: string;
  getBuiltinModule(name: "node:child_process"): {
    spawn(command: string, args: readonly string[], options: object): ConstructorParameters<
      typeof Peer
    >[0];
  };
  getBuiltinModule(name: "node:fs"): {
    existsSync(path: string): boolean;
    readdirSync(path: string): string[];
  };
}

const WAIT_MS = 15_000;
const FREEZE_MS = 30;

function findBinary(side: Side): string | undefined {
  if (side === runtimeName) return processGlobal().execPath;
  const { existsSync, readdirSync } = processGlobal().getBuiltinModule("node:fs");
  const modules = new URL("../../node_modules/", import.meta.url).pathname;
  const list = (folder: string): string[] => existsSync(folder) ? readdirSync(folder) : [];
  // Never what starts the runtime as a child: a signal would not reach it.
  const candidates = {
    Deno: () => list(`${modules}@deno`).map((name) => `${modules}@deno/${name}/deno`),
    Bun: () => [`${modules}bun/bin/bun.exe`],
    Node: () => nodes(list(modules)),
    libzmq: () => nodes(list(modules)),
  };
  const nodes = (names: readonly string[]): string[] =>
    names.filter((name) => /^node2[24]-/.test(name)).map((name) => `${modules}${name}/bin/node`);
  return candidates[side]().find(existsSync);
}

function processGlobal(): ProcessGlobal {
  return (globalThis as unknown as { process: ProcessGlobal }).process;
}

/** The command of a peer. */
export function commandOf(side: Side): string[] {
  const binary = findBinary(side)!;
  if (side === "libzmq") {
    return [binary, new URL("../_util/libzmq_peer.mjs", import.meta.url).pathname];
  }
  const program = new URL("./programs/peer.ts", import.meta.url).pathname;
  return side === "Deno" ? [binary, "run", "-A", "--no-check", program] : [binary, program];
}

/** The peers of one test. */
export class Peers {
  readonly #peers: Peer[] = [];

  /** Starts a peer; another command may lead to it. */
  start(side: Side, through: readonly string[] = []): Peer {
    const [command, ...args] = [...through, ...commandOf(side)];
    const { spawn } = processGlobal().getBuiltinModule("node:child_process");
    const peer = new Peer(spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] }));
    this.#peers.push(peer);
    return peer;
  }

  /** Starts a peer with one socket. */
  async open(
    side: Side,
    type: PeerSocketType,
    options: PeerOptions = {},
    through: readonly string[] = [],
  ): Promise<[Peer, PeerSocket]> {
    const peer = this.start(side, through);
    return [peer, await peer.open(type, options)];
  }

  /** Freezes one; it can go on for a moment until the system gets round to it. */
  async freeze(...frozen: readonly Peer[]): Promise<void> {
    for (const peer of frozen) peer.freeze();
    await pause(FREEZE_MS);
  }

  /** Kills all of them. */
  async kill(): Promise<void> {
    await Promise.all(this.#peers.splice(0).map((peer) => peer.kill()));
  }
}

/** Waits until a peer's socket has told of so many events of a type; the last of them. */
export async function tells(socket: PeerSocket, type: string, times = 1): Promise<PeerEvent> {
  let found: readonly PeerEvent[] = [];
  await eventually(
    async () => {
      found = (await socket.eventLog()).filter((event) => event.type === type);
      return found.length >= times;
    },
    WAIT_MS,
    `${type} of a peer, ${times} times`,
  );
  return found.at(-1)!;
}

/**
 * Waits until our socket has lost its last peer, the so manyth that greeted it. A dying process's system may take a connection
 * that ends before anybody greets: that is a disconnect, too.
 */
export async function parted(log: EventLog, times: number): Promise<void> {
  const over = (): boolean => {
    const greeted = log.types.lastIndexOf("handshake");
    return log.of("handshake").length === times && log.types.lastIndexOf("disconnect") > greeted;
  };
  await eventually(over, WAIT_MS, `handshake ${times} and its end`);
}
