// The runtime of sockets whose context names none: the entry that was imported says which.

import { ZmqError } from "../errors.ts";
import type { Network } from "../link/network.ts";
import type { Runtime } from "../link/stream.ts";

let find: (() => Runtime) | undefined;
let net: Network | undefined;

/**
 * Says how the runtime is found. An entry for one runtime alone comes before the one for several, in any order. One that has
 * tcp brings the network.
 */
export function provideRuntime(
  found: () => Runtime,
  alone: boolean = false,
  network?: Network,
): void {
  if (alone || find === undefined) find = found;
  net ??= network;
}

/** The network of sockets, if there is one. */
export function currentNetwork(): Network | undefined {
  return net;
}

/**
 * The runtime of this program.
 *
 * @throws {ZmqError} `ENOTSUP` when it is not known.
 */
export function currentRuntime(): Runtime {
  if (find !== undefined) return find();
  throw new ZmqError("ENOTSUP", "No runtime: import the package by one of its entries");
}
