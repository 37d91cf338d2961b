/**
 * ZeroMQ for Deno, Bun and Node: sockets in TypeScript over a WebAssembly core, without a native addon. It speaks ZMTP, so
 * every libzmq program is a peer, and its API is that of zeromq.js.
 *
 * @example Request and reply
 * ```ts
 * import { Reply, Request } from "@wasmq/wasmq";
 *
 * const reply = new Reply();
 * await reply.bind("tcp://127.0.0.1:*");
 * const request = new Request();
 * request.connect(reply.lastEndpoint!);
 *
 * await request.send("hello");
 * const [question] = await reply.receive();
 * await reply.send(`${question}, world`);
 * console.log(String(await request.receive())); // "hello, world"
 *
 * await request.close();
 * await reply.close();
 * ```
 *
 * @module
 */

import { systemNetwork } from "./src/link/system_network.ts";
import { provideRuntime } from "./src/runtime/current.ts";
import { detectRuntime } from "./src/runtime/detect.ts";

export * from "./src/entries/everywhere.ts";
export * from "./src/entries/network.ts";
export { capability } from "./src/about.ts";

provideRuntime(detectRuntime, false, systemNetwork);
