// What the entries for runtimes with tcp export beside that.

export type {
  AccessPolicy,
  Admission,
  AuthenticationRequest,
  AuthenticatorPolicy,
  CurvePolicy,
  PlainCredentials,
  PlainPolicy,
  Verdict,
} from "../sockets/authentication_policy.ts";
export {
  Authenticator,
  type AuthenticatorOptions,
  type AuthenticatorStats,
} from "../sockets/authenticator.ts";
export { Proxy, type ProxyCounts, type ProxyStatistics } from "../sockets/proxy.ts";
export { Stream, type StreamConnectOptions } from "../sockets/stream.ts";
export { upgrade } from "../sockets/upgrade.ts";
export {
  type BunServerWebSocket,
  type BunWebSocketServer,
  type OwnWebSocketHandlers,
  type WebSocketHandlers,
  webSocketHandlers,
} from "../runtime/upgrade_bun.ts";
export type { NodeUpgradeConnection, NodeUpgradeRequest } from "../runtime/upgrade_node.ts";
export type { ConnectionInfo } from "../runtime/upgrade_web.ts";
