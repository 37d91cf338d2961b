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

export { type Capability, capability, version } from "./src/about.ts";
export type { HostPort, LocalPath, StreamAddress } from "./src/endpoint.ts";
export { provideCore } from "./src/core/instance.ts";
export {
  AuthenticationError,
  type AuthenticationStatus,
  EndpointError,
  ProtocolError,
  SendError,
  StateError,
  ZmqError,
  type ZmqErrorOptions,
} from "./src/errors.ts";
export type {
  EndpointEvent,
  Event,
  EventError,
  EventOfType,
  EventType,
  KnownPeerEvent,
  PeerEvent,
} from "./src/events.ts";
export type {
  Accepted,
  ByteSink,
  ByteStream,
  InterfaceAddress,
  Listener,
  ListenOptions,
  Runtime,
  SocketFiles,
  StreamOptions,
} from "./src/link/stream.ts";
export type { IdleOptions } from "./src/idle_options.ts";
export { Frame, type Message, type MessageLike } from "./src/message.ts";
export type {
  CommonOptions,
  ConflateOptions,
  MatchingOptions,
  NotifyOptions,
  ProbeOptions,
  PublisherOptions,
  ReceiveOptions,
  ReconnectStop,
  RequestRules,
  RouterRules,
  RoutingIdOptions,
  SendOptions,
  SubscriptionOptions,
  Verbosity,
  XPublisherOptions,
} from "./src/options.ts";
export { type CurveKeyPair, curveKeyPair, curvePublicKeyOf } from "./src/security/keys.ts";
export type { CurveKeyLike, SecurityOptions } from "./src/security_options.ts";
export type {
  AccessPolicy,
  Admission,
  AuthenticationRequest,
  AuthenticatorPolicy,
  CurvePolicy,
  PlainCredentials,
  PlainPolicy,
  Verdict,
} from "./src/sockets/authentication_policy.ts";
export {
  Authenticator,
  type AuthenticatorOptions,
  type AuthenticatorStats,
} from "./src/sockets/authenticator.ts";
export { Context, context, type ContextOptions } from "./src/sockets/context.ts";
export type { ContextSettings } from "./src/sockets/context_settings.ts";
export { Dealer, Router, type RouterConnectOptions } from "./src/sockets/dealer_router.ts";
export { type MessageMetadata, metadataOf } from "./src/sockets/metadata.ts";
export { type EventListener, type EventSubscriber, Observer } from "./src/sockets/observer.ts";
export { Pair } from "./src/sockets/pair.ts";
export { Proxy, type ProxyCounts, type ProxyStatistics } from "./src/sockets/proxy.ts";
export { poll, type PollItem, type PollOptions, type PollResult } from "./src/sockets/poll.ts";
export { Pull, Push } from "./src/sockets/pipeline.ts";
export { Publisher, Subscriber } from "./src/sockets/publish_subscribe.ts";
export type { OperationOptions } from "./src/sockets/queue.ts";
export { Reply, Request } from "./src/sockets/request_reply.ts";
export { type Readable, Socket, type SocketOptions, type Writable } from "./src/sockets/socket.ts";
export type { Protocol } from "./src/peer.ts";
export type { PeerStats, SocketStats, TrafficStats } from "./src/sockets/stats.ts";
export { Stream, type StreamConnectOptions } from "./src/sockets/stream.ts";
export type { Topic } from "./src/sockets/topics.ts";
export { XPublisher, XSubscriber } from "./src/sockets/xpub_xsub.ts";
export { decodeZ85, encodeZ85 } from "./src/z85.ts";
