// PUSH and PULL: work goes out to workers, results come in (RFC 30).

import type { CommonOptions, ConflateOptions, ReceiveOptions, SendOptions } from "../options.ts";
import { PullPattern } from "../routing/pull.ts";
import { PushPattern } from "../routing/push.ts";
import { complete, type Readable, Socket, type SocketOptions, type Writable } from "./socket.ts";

/**
 * Sends each message to one of its Pull peers, in turn; waits while none has room.
 *
 * @example Hand out work
 * ```ts
 * import { Pull, Push } from "@wasmq/wasmq";
 *
 * const push = new Push();
 * await push.bind("tcp://127.0.0.1:*");
 * const pull = new Pull();
 * pull.connect(push.lastEndpoint!);
 *
 * await push.send("work");
 * const [frame] = await pull.receive();
 * console.log(frame.toString()); // "work"
 *
 * await push.close();
 * await pull.close();
 * ```
 */
export class Push extends Socket {
  /** Makes a PUSH socket. */
  constructor(options?: SocketOptions<CommonOptions & SendOptions & ConflateOptions>) {
    super("PUSH", () => new PushPattern(), options);
  }
}

/** What a Push can do, and its options. */
export interface Push extends Writable, SendOptions, ConflateOptions {}

complete(Push, { sends: true, receives: false, options: ["conflate"] });

/**
 * Receives the messages of all its Push peers, one of each in turn.
 *
 * @example Take work until told otherwise
 * ```ts
 * import { Pull, Push } from "@wasmq/wasmq";
 *
 * const pull = new Pull();
 * await pull.bind("tcp://127.0.0.1:*");
 * const push = new Push();
 * push.connect(pull.lastEndpoint!);
 * await push.send(["a", "b"]);
 *
 * for await (const [first, second] of pull) {
 *   console.log(first.toString(), second.toString()); // "a b"
 *   break;
 * }
 * await push.close();
 * await pull.close();
 * ```
 */
export class Pull extends Socket {
  /** Makes a PULL socket. */
  constructor(options?: SocketOptions<CommonOptions & ReceiveOptions & ConflateOptions>) {
    super("PULL", () => new PullPattern(), options);
  }
}

/** What a Pull can do, and its options. */
export interface Pull extends Readable, ReceiveOptions, ConflateOptions {}

complete(Pull, { sends: false, receives: true, options: ["conflate"] });
