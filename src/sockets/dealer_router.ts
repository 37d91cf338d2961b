// DEALER and ROUTER: request and reply without turns, for brokers and asynchronous programs (RFC 28).

import { withCode } from "../errors.ts";
import { checkOption, routingIdBytes } from "../option_values.ts";
import type {
  CommonOptions,
  ConflateOptions,
  ProbeOptions,
  ReceiveOptions,
  RouterRules,
  RoutingIdOptions,
  SendOptions,
} from "../options.ts";
import { DealerPattern } from "../routing/dealer.ts";
import { RouterPattern } from "../routing/router.ts";
import { engineOf } from "./inside.ts";
import { complete, type Readable, Socket, type SocketOptions, type Writable } from "./socket.ts";

/**
 * Sends each message to one of its peers, in turn, and receives from all of them. Frames are left as they are: to talk to
 * a Reply, put an empty frame first.
 *
 * @example Two requests under way at once
 * ```ts
 * import { Dealer, Reply } from "@wasmq/wasmq";
 *
 * const reply = new Reply();
 * await reply.bind("tcp://127.0.0.1:*");
 * const dealer = new Dealer();
 * dealer.connect(reply.lastEndpoint!);
 *
 * await dealer.send(["", "one"]);
 * await dealer.send(["", "two"]);
 * for (let i = 0; i < 2; i++) {
 *   const [request] = await reply.receive();
 *   await reply.send(`did ${request}`);
 * }
 * console.log(String((await dealer.receive())[1])); // "did one"
 *
 * await dealer.close();
 * await reply.close();
 * ```
 */
export class Dealer extends Socket {
  /** Makes a DEALER socket. */
  constructor(
    options?: SocketOptions<
      & CommonOptions
      & SendOptions
      & ReceiveOptions
      & RoutingIdOptions
      & ProbeOptions
      & ConflateOptions
    >,
  ) {
    super("DEALER", () => new DealerPattern(), options);
  }
}

/** What a Dealer can do, and its options. */
export interface Dealer
  extends
    Writable,
    Readable,
    SendOptions,
    ReceiveOptions,
    RoutingIdOptions,
    ProbeOptions,
    ConflateOptions {}

complete(Dealer, {
  sends: true,
  receives: true,
  options: ["routingId", "probeRouter", "conflate"],
});

/** What `Router.connect` takes beside the endpoint. */
export interface RouterConnectOptions {
  /** The name of the peer, instead of the one it announces; messages can be sent to it at once. `ZMQ_CONNECT_ROUTING_ID`. */
  readonly routingId?: string | Uint8Array;
}

/**
 * Knows each peer by a routing id: the first frame of a message that is received tells where it came from, the first frame
 * of one that is sent where it goes. What cannot be routed is dropped, unless `mandatory` is set.
 *
 * @example Answer each client by its id
 * ```ts
 * import { Request, Router } from "@wasmq/wasmq";
 *
 * const router = new Router();
 * await router.bind("tcp://127.0.0.1:*");
 * const request = new Request({ routingId: "client-1" });
 * request.connect(router.lastEndpoint!);
 * await request.send("hello");
 *
 * const [id, , body] = await router.receive();
 * console.log(`${id}: ${body}`); // "client-1: hello"
 * await router.send([id, "", "welcome"]);
 * await request.receive();
 *
 * await request.close();
 * await router.close();
 * ```
 */
export class Router extends Socket {
  /** Makes a ROUTER socket. */
  constructor(
    options?: SocketOptions<
      CommonOptions & SendOptions & ReceiveOptions & RoutingIdOptions & ProbeOptions & RouterRules
    >,
  ) {
    super(
      "ROUTER",
      ({ options, census }) => new RouterPattern(options, () => census.drop()),
      options,
    );
  }

  /**
   * Connects to a peer, as `Socket.connect`, and may name it.
   *
   * @throws {ZmqError} `EADDRINUSE` when another peer has that routing id.
   */
  override connect(address: string, options: RouterConnectOptions = {}): void {
    engineOf(this).connect(address, assignedId(options));
  }
}

/** The routing id that `connect` gives to a peer. */
export function assignedId({ routingId }: RouterConnectOptions): Uint8Array | undefined {
  if (routingId === undefined) return undefined;
  const id = routingIdBytes(checkOption("routingId", routingId));
  if (id.length > 0) return id;
  throw withCode(new RangeError("Cannot connect with an empty routingId"), "EINVAL");
}

/** What a Router can do, and its options. */
export interface Router
  extends
    Writable,
    Readable,
    SendOptions,
    ReceiveOptions,
    RoutingIdOptions,
    ProbeOptions,
    RouterRules {}

complete(Router, {
  sends: true,
  receives: true,
  options: ["routingId", "probeRouter", "mandatory", "handover"],
});
