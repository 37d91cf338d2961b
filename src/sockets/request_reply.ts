// REQ and REP: a question, its answer, in turn (RFC 28).

import type {
  CommonOptions,
  ProbeOptions,
  ReceiveOptions,
  RequestRules,
  RoutingIdOptions,
  SendOptions,
} from "../options.ts";
import { RepPattern } from "../routing/rep.ts";
import { ReqPattern } from "../routing/req.ts";
import { complete, type Readable, Socket, type SocketOptions, type Writable } from "./socket.ts";

/**
 * Sends a request to one of its Reply or Router peers, in turn, and receives its reply. A second request before the reply
 * is an error (`EFSM`), unless `relaxed` is set.
 *
 * @example Ask
 * ```ts
 * import { Reply, Request } from "@wasmq/wasmq";
 *
 * const reply = new Reply();
 * await reply.bind("tcp://127.0.0.1:*");
 * const request = new Request();
 * request.connect(reply.lastEndpoint!);
 *
 * await request.send("4 + 5");
 * await reply.receive();
 * await reply.send("9");
 * console.log(String(await request.receive())); // "9"
 *
 * await request.close();
 * await reply.close();
 * ```
 */
export class Request extends Socket {
  /** Makes a REQ socket. */
  constructor(
    options?: SocketOptions<
      CommonOptions & SendOptions & ReceiveOptions & RoutingIdOptions & ProbeOptions & RequestRules
    >,
  ) {
    super("REQ", (tools) => new ReqPattern(tools.options), options);
  }
}

/** What a Request can do, and its options. */
export interface Request
  extends
    Writable,
    Readable,
    SendOptions,
    ReceiveOptions,
    RoutingIdOptions,
    ProbeOptions,
    RequestRules {}

complete(Request, {
  sends: true,
  receives: true,
  options: ["routingId", "probeRouter", "correlate", "relaxed"],
});

/**
 * Receives a request from one of its Request or Dealer peers, in turn, and sends the reply back the way it came.
 *
 * @example Answer
 * ```ts
 * import { Reply, Request } from "@wasmq/wasmq";
 *
 * const reply = new Reply();
 * await reply.bind("tcp://127.0.0.1:*");
 * const request = new Request();
 * request.connect(reply.lastEndpoint!);
 * await request.send("hello");
 *
 * for await (const [name] of reply) {
 *   await reply.send(`${name}, world`);
 *   break;
 * }
 * console.log(String(await request.receive())); // "hello, world"
 *
 * await request.close();
 * await reply.close();
 * ```
 */
export class Reply extends Socket {
  /** Makes a REP socket. */
  constructor(
    options?: SocketOptions<CommonOptions & SendOptions & ReceiveOptions & RoutingIdOptions>,
  ) {
    super("REP", () => new RepPattern(), options);
  }
}

/** What a Reply can do, and its options. */
export interface Reply extends Writable, Readable, SendOptions, ReceiveOptions, RoutingIdOptions {}

complete(Reply, { sends: true, receives: true, options: ["routingId"] });
