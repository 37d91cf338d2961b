// The classes of sockets by the names that their types have on the wire.

import {
  Dealer,
  Pair,
  Publisher,
  Pull,
  Push,
  Reply,
  Request,
  Router,
  type Socket,
  Subscriber,
  XPublisher,
  XSubscriber,
} from "../../mod.ts";
import type { SocketType } from "../../src/wire/socket_type.ts";

/** A class of sockets. */
export type SocketClass = new (options?: object) => Socket;

/** All that speak ZMTP. */
export const WIRE_CLASSES: Readonly<Record<Exclude<SocketType, "STREAM">, SocketClass>> = {
  PAIR: Pair,
  PUB: Publisher,
  SUB: Subscriber,
  REQ: Request,
  REP: Reply,
  DEALER: Dealer,
  ROUTER: Router,
  PULL: Pull,
  PUSH: Push,
  XPUB: XPublisher,
  XSUB: XSubscriber,
};

/** Their types. */
export const WIRE_TYPES: readonly (keyof typeof WIRE_CLASSES)[] = Object.keys(
  WIRE_CLASSES,
) as (keyof typeof WIRE_CLASSES)[];
