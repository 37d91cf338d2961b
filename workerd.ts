/**
 * ZeroMQ in workerd and Cloudflare Workers: all of `@wasmq/wasmq`, over the tcp sockets of `cloudflare:sockets`.
 *
 * Sockets are made and used in a handler, or in a Durable Object, and live as long as it does; each has a context of its
 * own unless it is given one. workerd cannot listen: a `connect(socket)` handler gives connections to
 * {@linkcode Socket.accept}.
 *
 * @example Ask a REP service for each request
 * ```ts ignore
 * import { Request } from "@wasmq/wasmq/workerd";
 *
 * export default {
 *   async fetch(): Promise<Response> {
 *     const request = new Request({ linger: 0, sendTimeout: 1000, receiveTimeout: 1000 });
 *     request.connect("tcp://127.0.0.1:5555");
 *     try {
 *       await request.send("time");
 *       const [time] = await request.receive();
 *       return new Response(String(time));
 *     } finally {
 *       await request.close();
 *     }
 *   },
 * };
 * ```
 *
 * @module
 */

// @ts-ignore: a module of workerd's.
import { connect } from "cloudflare:sockets";
// @ts-ignore: workerd and its bundlers give the compiled module; it forbids compiling.
import core from "./src/core/core.wasm";
import { provideCore } from "./src/core/instance.ts";
import { WebStream } from "./src/link/web_stream.ts";
import { systemNetwork } from "./src/link/system_network.ts";
import { provideRuntime } from "./src/runtime/current.ts";
import { workerdRuntime } from "./src/runtime/workerd.ts";

export * from "./src/entries/everywhere.ts";
export * from "./src/entries/network.ts";
export { networkCapability as capability } from "./src/about.ts";

provideCore(core);
const runtime = workerdRuntime(connect, (...socket) => new WebStream(...socket));
provideRuntime(() => runtime, true, systemNetwork);
