// Starts and drives libzmq peers (libzmq_peer.mjs) from Deno, Bun and Node alike. libzmq always
// runs in a Node process: inside Bun it panics, inside Deno it loses wake-ups.

import { within } from "./deadline.ts";
import { fromHex, toHex, utf8 } from "./bytes.ts";

/** Which messages to make; see messages.mjs. */
export interface MessageSpec {
  readonly seed: number;
  readonly count: number;
  readonly sizes: readonly number[];
  readonly parts: readonly [least: number, most: number];
}

/** The socket types that a peer can open. */
export type PeerSocketType =
  | "Pair"
  | "Push"
  | "Pull"
  | "Request"
  | "Reply"
  | "Dealer"
  | "Router"
  | "Publisher"
  | "Subscriber"
  | "XPublisher"
  | "XSubscriber"
  | "Stream";

/** Options of zeromq.js, and those of libzmq that it has no property for. */
export type PeerOptions = Readonly<Record<string, string | number | boolean | null>>;

/** How often a peer's socket shook hands and lost a connection. */
export interface PeerEvents {
  readonly handshake: number;
  readonly disconnect: number;
}

/** What zeromq.js's observer told of a peer's socket. */
export interface PeerEvent {
  readonly type: string;
  readonly address?: string;
  /** Until the next attempt to connect, in milliseconds. */
  readonly interval?: number;
  /** The code of its error. */
  readonly code?: string;
  /** Of a refusal by a ZAP handler. */
  readonly status?: number;
}

/** What a peer's ZAP handler answers: the first rule that fits a request. */
export interface ZapRule {
  /** What it is for; what is left out fits always. */
  readonly when?: {
    readonly mechanism?: "NULL" | "PLAIN" | "CURVE";
    readonly domain?: string;
    readonly credentials?: readonly (string | Uint8Array)[];
  };
  /** The frames after the delimiter; `"id"` stands for the request's id. Null: no answer, ever. */
  readonly reply: readonly (string | Uint8Array)[] | null;
}

/** First and last number of each gapless run of numbered messages, in order of arrival. */
export type SequenceRuns = readonly (readonly [first: number, last: number])[];

interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
  readonly code?: string;
}

interface Pipe {
  unref?(): void;
}

interface InputPipe extends Pipe {
  write(text: string): void;
  end(): void;
  on(event: "error", listener: () => void): void;
}

interface OutputPipe extends Pipe {
  on(event: "data", listener: (chunk: Uint8Array) => void): void;
}

interface Child {
  readonly pid?: number;
  readonly stdin: InputPipe;
  readonly stdout: OutputPipe;
  readonly stderr: OutputPipe;
  unref?(): void;
  on(event: "exit", listener: (code: number | null, signal: string | null) => void): void;
  on(event: "error", listener: (error: Error) => void): void;
}

interface ChildProcessModule {
  spawn(command: string, args: readonly string[], options: { stdio: readonly "pipe"[] }): Child;
}

interface FileSystemModule {
  existsSync(path: string): boolean;
  readdirSync(path: string): string[];
}

interface ProcessGlobal {
  readonly execPath: string;
  kill(pid: number, signal: string): void;
  readonly versions: Readonly<Record<string, string | undefined>>;
  getBuiltinModule(name: "node:child_process"): ChildProcessModule;
  getBuiltinModule(name: "node:fs"): FileSystemModule;
}

const COMMAND_MS = 45_000;
/** For what ends with the test. */
const FOREVER_MS = 600_000;
const STOP_MS = 3_000;
const process = (globalThis as unknown as { process: ProcessGlobal }).process;
const modules = new URL("../../node_modules/", import.meta.url).pathname;

/** Starts a peer; end it with {@linkcode Peer.stop} in an `after` hook. */
export function startPeer(): Peer {
  const program = new URL("./libzmq_peer.mjs", import.meta.url).pathname;
  const { spawn } = process.getBuiltinModule("node:child_process");
  return new Peer(spawn(findNode(), [program], { stdio: ["pipe", "pipe", "pipe"] }));
}

function findNode(): string {
  const { existsSync, readdirSync } = process.getBuiltinModule("node:fs");
  const name = readdirSync(modules).find((entry) => /^node2[24]-/.test(entry));
  const installed = `${modules}${name}/bin/node`;
  if (name && existsSync(installed)) return installed;
  const isNode = !process.versions.bun && !process.versions.deno;
  return isNode ? process.execPath : "node";
}

/** A process with libzmq sockets. */
export class Peer {
  /** Resolves when the process has ended. */
  readonly exited: Promise<void>;
  readonly #child: Child;
  readonly #pending = new Map<number, PromiseWithResolvers<unknown>>();
  #output = "";
  #errors = "";
  #lastId = 0;
  #ended = false;

  constructor(child: Child) {
    this.#child = child;
    const exit = Promise.withResolvers<void>();
    this.exited = exit.promise;
    const end = (reason: string): void => {
      this.#ended = true;
      const error = new Error(`The libzmq peer ended (${reason})\n${this.#errors}`);
      for (const { reject } of this.#pending.values()) reject(error);
      this.#pending.clear();
      exit.resolve();
    };
    child.on("exit", (code, signal) => end(String(signal ?? code)));
    child.on("error", (error) => end(error.message));
    child.stdin.on("error", () => {}); // a killed peer's pipe: `exit` tells
    const decoder = new TextDecoder();
    child.stdout.on("data", (chunk) => this.#read(decoder.decode(chunk, { stream: true })));
    child.stderr.on("data", (chunk) => this.#errors += new TextDecoder().decode(chunk));
    // A peer that a failed test forgot must not keep the test process alive.
    for (const handle of [child, child.stdin, child.stdout, child.stderr]) handle.unref?.();
  }

  /** Opens a socket; a binary routing id is given apart from the options. */
  async open(
    type: PeerSocketType,
    options: PeerOptions = {},
    routingId?: Uint8Array,
  ): Promise<PeerSocket> {
    const name = `${type}-${this.#lastId + 1}`;
    const id = routingId && toHex(routingId);
    await this.command("open", { name, type, options: { linger: 0, ...options }, routingId: id });
    return new PeerSocket(this, name);
  }

  /** Answers who may connect to sockets of this process, by rules that replace former ones; from now on, for good. */
  async handleZap(...rules: ZapRule[]): Promise<void> {
    const frame = (content: string | Uint8Array): string =>
      content === "id" ? "id" : hexOf(content);
    const inHex = rules.map(({ when = {}, reply }) => ({
      when: { ...when, ...(when.credentials && { credentials: when.credentials.map(hexOf) }) },
      reply: reply?.map(frame) ?? null,
    }));
    await this.command("zap", { rules: inHex });
  }

  /** The frames of each request to the handler since this was asked last. */
  async zapRequests(): Promise<Uint8Array[][]> {
    const requests = await this.command("zapRequests", {}) as string[][];
    return requests.map((frames) => frames.map(fromHex));
  }

  /** Sends a command; the answer's value. */
  command(command: string, args: object, ms: number = COMMAND_MS): Promise<unknown> {
    if (this.#ended) return Promise.reject(new Error(`The libzmq peer has ended: ${command}`));
    const id = ++this.#lastId;
    const answer = Promise.withResolvers<unknown>();
    this.#pending.set(id, answer);
    this.#child.stdin.write(`${JSON.stringify({ id, command, ...args })}\n`);
    return within(answer.promise, ms, `libzmq peer, ${command} ${JSON.stringify(args)}`);
  }

  /** Stops the process as it stands: the system answers for it, it does not. */
  freeze(): void {
    this.#signal("SIGSTOP");
  }

  /** Lets a frozen process go on. */
  thaw(): void {
    this.#signal("SIGCONT");
  }

  /** Ends the process as a crash would; commands under way are rejected. */
  async kill(): Promise<void> {
    this.#signal("SIGKILL");
    await within(this.exited, STOP_MS, "end of a killed libzmq peer");
  }

  /** Ends the process. */
  async stop(): Promise<void> {
    this.thaw();
    this.#child.stdin.end();
    await within(this.exited, STOP_MS, "end of a stopped libzmq peer").catch(() => this.kill());
  }

  /** By its number: in Deno a child takes one signal only from its handle. */
  #signal(signal: "SIGSTOP" | "SIGCONT" | "SIGKILL"): void {
    if (this.#ended || this.#child.pid === undefined) return;
    try {
      process.kill(this.#child.pid, signal);
    } catch {
      // It has just ended: `exit` tells.
    }
  }

  #read(text: string): void {
    this.#output += text;
    for (let end = this.#output.indexOf("\n"); end >= 0; end = this.#output.indexOf("\n")) {
      const answer = JSON.parse(this.#output.slice(0, end)) as Answer;
      this.#output = this.#output.slice(end + 1);
      const pending = this.#pending.get(answer.id);
      this.#pending.delete(answer.id);
      if (answer.error === undefined) pending?.resolve(answer.value);
      else {
        const error = new Error(`libzmq peer: ${answer.error}`);
        pending?.reject(Object.assign(error, { code: answer.code }));
      }
    }
  }
}

/** A libzmq socket in a peer. */
export class PeerSocket {
  readonly #peer: Peer;
  readonly #name: string;

  constructor(peer: Peer, name: string) {
    this.#peer = peer;
    this.#name = name;
  }

  /** Binds; the endpoint with its real port. */
  async bind(endpoint = "tcp://127.0.0.1:*"): Promise<string> {
    return await this.#command("bind", { endpoint }) as string;
  }

  async unbind(endpoint: string): Promise<void> {
    await this.#command("unbind", { endpoint });
  }

  /** Connects; a ROUTER or a STREAM may name the peer. */
  async connect(endpoint: string, routingId?: string): Promise<void> {
    await this.#command("connect", { endpoint, routingId });
  }

  async disconnect(endpoint: string): Promise<void> {
    await this.#command("disconnect", { endpoint });
  }

  async close(): Promise<void> {
    await this.#command("close", {});
  }

  /** Sets an option of zeromq.js. */
  async set(option: string, value: string | number | boolean | null): Promise<void> {
    await this.#command("set", { option, value });
  }

  /** Subscribes; an XPUB with `manual` does it for the peer that it received from last. */
  async subscribe(...topics: (string | Uint8Array)[]): Promise<void> {
    await this.#command("subscribe", { topics: topics.map(hexOf) });
  }

  async unsubscribe(...topics: (string | Uint8Array)[]): Promise<void> {
    await this.#command("unsubscribe", { topics: topics.map(hexOf) });
  }

  /** How many topics it knows. */
  async topicsCount(): Promise<number> {
    return await this.#command("topicsCount", {}) as number;
  }

  /** Sends one message. */
  async send(...frames: (string | Uint8Array)[]): Promise<void> {
    await this.#command("send", { frames: frames.map(hexOf) });
  }

  /** Sends messages one after the other. */
  async sendEach(messages: readonly (readonly (string | Uint8Array)[])[]): Promise<void> {
    await this.#command("sendEach", { messages: messages.map((frames) => frames.map(hexOf)) });
  }

  /** Receives one message. */
  async receive(): Promise<Uint8Array[]> {
    return (await this.#command("receive", {}) as string[]).map(fromHex);
  }

  /** Receives all messages before the one with these frames. */
  async receiveUntil(...last: (string | Uint8Array)[]): Promise<Uint8Array[][]> {
    const messages = await this.#command("receiveUntil", { last: last.map(hexOf) }) as string[][];
    return messages.map((frames) => frames.map(fromHex));
  }

  /** Publishes `[topic, number]`, the topics in turn, until {@linkcode PeerSocket.stopFlood}. */
  async startFlood(...topics: (string | Uint8Array)[]): Promise<void> {
    await this.#command("startFlood", { topics: topics.map(hexOf) });
  }

  /** Stops the flood; how many messages it had. */
  async stopFlood(): Promise<number> {
    return await this.#command("stopFlood", {}) as number;
  }

  /** Sends generated messages, each after the frames of `prefix`. */
  async sendMany(spec: MessageSpec, ...prefix: (string | Uint8Array)[]): Promise<void> {
    await this.#command("sendMany", { spec, prefix: prefix.map(hexOf) });
  }

  /** Receives generated messages and checks every byte, leaving out the first `skip` frames. */
  async receiveMany(spec: MessageSpec, skip = 0): Promise<void> {
    await this.#command("receiveMany", { spec, skip });
  }

  /**
   * Receives the octets of all generated messages from a STREAM's peers in one run, however they are cut, and checks them;
   * passes over notifications.
   */
  async receiveOctets(spec: MessageSpec): Promise<void> {
    await this.#command("receiveOctets", { spec });
  }

  /** Sends each generated message as a request and checks that the reply is the same. */
  async exchange(spec: MessageSpec): Promise<void> {
    await this.#command("exchange", { spec });
  }

  /** Sends back what it receives, `count` times. */
  async echo(count: number): Promise<void> {
    await this.#command("echo", { count });
  }

  /** Moves messages between this socket and the other, both ways, until one is closed. */
  async forward(to: PeerSocket): Promise<void> {
    await this.#command("forward", { to: to.#name });
  }

  /** Runs libzmq's proxy between this socket and the other until it is terminated. */
  async proxy(to: PeerSocket): Promise<void> {
    await this.#peer.command("proxy", { name: this.#name, to: to.#name }, FOREVER_MS);
  }

  /** Steers the proxy whose front end this socket is. */
  async steer(action: "pause" | "resume" | "terminate"): Promise<void> {
    await this.#command("steer", { action });
  }

  /** Sends `[number, filler]` for each number from `from` up to but not including `to`. */
  async sendSequence(from: number, to: number, filler = 0): Promise<void> {
    await this.#command("sendSequence", { from, to, filler });
  }

  /** Receives `count` numbered messages. */
  async receiveSequence(count: number): Promise<SequenceRuns> {
    return await this.#command("receiveSequence", { count }) as SequenceRuns;
  }

  /** What happened to its connections so far. */
  async events(): Promise<PeerEvents> {
    return await this.#command("events", {}) as PeerEvents;
  }

  /** All that its observer told so far; also when it is closed. */
  async eventLog(): Promise<readonly PeerEvent[]> {
    return await this.#command("eventLog", {}) as PeerEvent[];
  }

  #command(command: string, args: object): Promise<unknown> {
    return this.#peer.command(command, { name: this.#name, ...args });
  }
}

function hexOf(octets: string | Uint8Array): string {
  return toHex(typeof octets === "string" ? utf8(octets) : octets);
}
