/**
 * ZeroMQ in a page: all sockets over the browser's own WebSocket. Peers are sockets that a server has bound at `ws://` or
 * `wss://` (of this package, libzmq, JSZMQ), and others of the page, over inproc.
 *
 * A page cannot listen, and has no tcp. The browser answers a server's pings, and sends none itself: `heartbeatInterval`
 * does nothing here. CURVE works end to end with a server of this package, and a server that asks for credentials has to
 * admit the page's origin by its option `origins`. libzmq takes no frames above 65 535 octets from a page: Chromium sends
 * them in fragments, which libzmq does not know.
 *
 * A page's WebSocket cannot make its peer wait: of what is not received 16 MiB are kept beyond `receiveHighWaterMark`, then
 * the connection ends with `ENOBUFS`, and is made again. Number what must not be lost, or ask for it piece by piece.
 *
 * @example Subscribe
 * ```ts ignore
 * import { Subscriber } from "@wasmq/wasmq/browser";
 *
 * const prices = new Subscriber();
 * prices.subscribe("EUR");
 * prices.connect("wss://example.org:5556/prices");
 * for await (const [topic, price] of prices) {
 *   document.title = `${topic} ${price}`;
 * }
 * ```
 *
 * @module
 */

import { browserRuntime } from "./src/runtime/browser.ts";
import { provideRuntime } from "./src/runtime/current.ts";

export * from "./src/entries/everywhere.ts";
export { pageCapability as capability } from "./src/about.ts";

provideRuntime(() => browserRuntime, true);
