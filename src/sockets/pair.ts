// PAIR: two sockets for each other only (RFC 31).

import type { CommonOptions, ReceiveOptions, SendOptions } from "../options.ts";
import { PairPattern } from "../routing/pair.ts";
import { complete, type Readable, Socket, type SocketOptions, type Writable } from "./socket.ts";

/**
 * Talks to exactly one other Pair, both ways; while it has that one, others are refused.
 *
 * @example Two programs, one line
 * ```ts
 * import { Pair } from "@wasmq/wasmq";
 *
 * const left = new Pair();
 * await left.bind("tcp://127.0.0.1:*");
 * const right = new Pair();
 * right.connect(left.lastEndpoint!);
 *
 * await right.send("ready?");
 * console.log(String(await left.receive())); // "ready?"
 *
 * await left.close();
 * await right.close();
 * ```
 */
export class Pair extends Socket {
  /** Makes a PAIR socket. */
  constructor(options?: SocketOptions<CommonOptions & SendOptions & ReceiveOptions>) {
    super("PAIR", () => new PairPattern(), options);
  }
}

/** What a Pair can do, and its options. */
export interface Pair extends Writable, Readable, SendOptions, ReceiveOptions {}

complete(Pair, { sends: true, receives: true, options: [] });
