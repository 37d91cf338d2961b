// A bound socket whose peers are octets that the test writes: one healthy peer, and any number that mean no good. There is
// no network, so what a peer sent has been dealt with when the call that delivers it returns.

import { assertEquals, assertMatch } from "@std/assert";
import { Context, type EventType, type Socket } from "../../mod.ts";
import { utf8 } from "./bytes.ts";
import type { Cleanup } from "./cleanup.ts";
import { within } from "./deadline.ts";
import { EventLog } from "./event_log.ts";
import type { FakeStream, FakeStreamOptions } from "./fake_stream.ts";
import { concat } from "./octets.ts";
import { greeting, ready } from "./raw_zmtp.ts";
import { type ScriptedListener, ScriptedRuntime } from "./scripted_runtime.ts";

const WAIT_MS = 5_000;

/** A socket with a scripted network. */
export class HostileStage<S extends Socket> {
  readonly socket: S;
  readonly log: EventLog;
  readonly runtime: ScriptedRuntime;
  /** The type that its peers have if nothing else is said. */
  readonly #peerType: string;

  private constructor(socket: S, runtime: ScriptedRuntime, peerType: string) {
    this.socket = socket;
    this.runtime = runtime;
    this.#peerType = peerType;
    this.log = new EventLog(socket);
  }

  /** Opens a socket and binds it; its peers are of the type that is given. */
  static async open<S extends Socket>(
    cleanup: Cleanup,
    peerType: string,
    open: (context: Context) => S,
  ): Promise<HostileStage<S>> {
    const runtime = new ScriptedRuntime();
    const socket = cleanup.add(open(new Context({ runtime })));
    const stage = new HostileStage(socket, runtime, peerType);
    await socket.bind("tcp://127.0.0.1:5555");
    return stage;
  }

  get listener(): ScriptedListener {
    return this.runtime.listeners[0];
  }

  /** A connection on which nothing was said yet. */
  stranger(options?: FakeStreamOptions): FakeStream {
    return this.listener.accept(options);
  }

  /** A peer past its handshake; what the socket said until then is out of the way. */
  insider(identity: Uint8Array | string = "", type: string = this.#peerType): FakeStream {
    const stream = this.stranger();
    stream.deliver(concat(greeting(), ready(type, identity)));
    stream.takeOutput();
    return stream;
  }

  /** The first event of this type that was not looked at says this about the error. */
  async tells(type: EventType, code: string, ...says: readonly RegExp[]): Promise<void> {
    const event = await this.log.next(type);
    const { error } = event as unknown as { error?: Error & { code?: string } };
    assertEquals(error?.code, code, `${type}: ${error?.message}`);
    for (const words of says) assertMatch(error!.message, words);
  }
}

/** True when the socket has ended this connection. */
export function isOver(stream: FakeStream): boolean {
  return stream.calls.includes("abort") || stream.calls.includes("close");
}

/** What is received next. */
export async function take(socket: unknown): Promise<Uint8Array[]> {
  const receiver = socket as { receive(): Promise<Uint8Array[]> };
  return await within(receiver.receive(), WAIT_MS, "a message");
}

/** A header and as much of a body as `sent`, of a frame that announces `size` octets. */
export function begun(size: number, sent: number, flags = 0): Uint8Array {
  const octets = new Uint8Array(9 + sent);
  octets[0] = flags | 2;
  new DataView(octets.buffer).setBigUint64(1, BigInt(size));
  return octets;
}

/** The same octets so many times. */
export function repeated(count: number, octets: Uint8Array | string): Uint8Array {
  const one = typeof octets === "string" ? utf8(octets) : octets;
  const all = new Uint8Array(count * one.length);
  for (let i = 0; i < count; i++) all.set(one, i * one.length);
  return all;
}
