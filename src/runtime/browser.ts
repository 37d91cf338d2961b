// A page, or a worker of a page: nothing but the browser's own WebSocket.

import type { Endpoint, EndpointUse } from "../endpoint.ts";
import { ZmqError } from "../errors.ts";
import type { Runtime, WebSocketLike } from "../link/stream.ts";

interface PageGlobal {
  readonly WebSocket: new (url: string, protocols: readonly string[]) => WebSocketLike;
}

/** Options that say how to connect, which is the browser's affair; with the values that ask for nothing. */
const IMPOSSIBLE = {
  socksProxy: null,
  wssTrustPem: null,
  wssHostname: null,
} as const;

function refuse(endpoint: Endpoint, use: EndpointUse, options: object): string | undefined {
  const { transport } = endpoint;
  if (transport === "inproc") return undefined;
  if (use === "bind") return "cannot listen; connect to a socket that a server has bound";
  if (transport !== "ws" && transport !== "wss") {
    return `has no ${transport}; let the server bind ws:// too, and connect to that`;
  }
  for (const [name, harmless] of Object.entries(IMPOSSIBLE)) {
    const value = (options as Record<string, unknown>)[name];
    if (value === harmless || value === undefined) continue;
    return `cannot set ${name}, the browser decides that; leave it at ${harmless}`;
  }
  return undefined;
}

const calls: (() => void)[] = [];
let channel: MessageChannel | undefined;

/** Timers of pages wait four milliseconds; a message to itself comes round at once. */
function turn(call: () => void): void {
  if (channel === undefined) {
    channel = new MessageChannel();
    channel.port1.onmessage = () => calls.shift()!();
  }
  calls.push(call);
  channel.port2.postMessage(null);
}

function unable(what: string): Promise<never> {
  return Promise.reject(new ZmqError("ENOTSUP", `A page cannot ${what}`));
}

export const browserRuntime: Runtime = {
  name: "A page",
  turn,
  refuse,
  unrefTimer() {},
  // WebSocketStream could be told to wait, but Chromium 156 crashes where the connection of one is lost.
  webSocket(url, protocols) {
    return new (globalThis as unknown as PageGlobal).WebSocket(url, protocols);
  },
  listen: () => unable("listen"),
  connect: () => unable("connect by tcp"),
  resolve: () => unable("resolve names"),
  interfaces: () => [],
};
