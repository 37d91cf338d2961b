/**
 * The patterns of the ZeroMQ guide, ready to use: reliable request-reply, brokers, redundant pairs, shared state and
 * federations, on top of the sockets of this package. `docs/patterns` has a page for each, with what it guarantees.
 *
 * All parts have typed `events`, `stats()`, `close()` and `await using`, a `signal` that closes them, and `socketOptions` for
 * their sockets: security, limits, keep-alives.
 *
 * @example A service by its name, and somebody who uses it
 * ```ts
 * import { MajordomoBroker, MajordomoClient, MajordomoWorker } from "@wasmq/wasmq/patterns";
 *
 * await using broker = new MajordomoBroker();
 * await broker.bind("tcp://127.0.0.1:*");
 * const endpoint = broker.lastEndpoint!;
 *
 * const handler = ([text]: { toString(): string }[]) => `${text}`.toUpperCase();
 * await using worker = new MajordomoWorker({ endpoint, service: "upper", handler });
 * await using client = new MajordomoClient({ endpoint });
 * console.log(String(await client.request("upper", "hello"))); // "HELLO"
 * ```
 *
 * @module
 */

export { Emitter, type EventMap, type Listener } from "./base/emitter.ts";
export type { HeartbeatOptions } from "./base/liveness.ts";
export type { Body } from "./base/octets.ts";
export { Part, type PartOptions } from "./base/part.ts";

export * from "./binary_star/mod.ts";
export * from "./clone/mod.ts";
export * from "./federation/mod.ts";
export * from "./freelance/mod.ts";
export * from "./gateway/mod.ts";
export * from "./heartbeat/mod.ts";
export * from "./majordomo/mod.ts";
export * from "./pirate/mod.ts";
export * from "./titanic/mod.ts";
