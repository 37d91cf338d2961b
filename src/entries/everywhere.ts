// What every entry exports.

export { type Capability, version } from "../about.ts";
export type {
  Endpoint,
  EndpointUse,
  HostPort,
  InprocEndpoint,
  IpcEndpoint,
  LocalPath,
  NetworkEndpoint,
  StreamAddress,
  StreamEndpoint,
  TcpEndpoint,
  WebSocketEndpoint,
} from "../endpoint.ts";
export { provideCore } from "../core/instance.ts";
export {
  AuthenticationError,
  type AuthenticationStatus,
  EndpointError,
  ProtocolError,
  SendError,
  StateError,
  ZmqError,
  type ZmqErrorOptions,
} from "../errors.ts";
export type {
  EndpointEvent,
  Event,
  EventError,
  EventOfType,
  EventType,
  KnownPeerEvent,
  PeerEvent,
} from "../events.ts";
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
  TlsIdentity,
  TlsLayer,
  TlsTrust,
  WebSocketEventLike,
  WebSocketLike,
} from "../link/stream.ts";
export type { IdleOptions } from "../idle_options.ts";
export { Frame, type Message, type MessageLike } from "../message.ts";
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
} from "../options.ts";
export { type CurveKeyPair, curveKeyPair, curvePublicKeyOf } from "../security/keys.ts";
export type { CurveKeyLike, SecurityOptions } from "../security_options.ts";
export type { WebSocketOptions } from "../websocket_options.ts";
export type { Connection } from "../link/connection.ts";
export type { OctetStreams } from "../link/web_stream.ts";
export { Context, context, type ContextOptions } from "../sockets/context.ts";
export type { ContextSettings } from "../sockets/context_settings.ts";
export { Dealer, Router, type RouterConnectOptions } from "../sockets/dealer_router.ts";
export { type MessageMetadata, metadataOf } from "../sockets/metadata.ts";
export { type EventListener, type EventSubscriber, Observer } from "../sockets/observer.ts";
export { Pair } from "../sockets/pair.ts";
export { poll, type PollItem, type PollOptions, type PollResult } from "../sockets/poll.ts";
export { Pull, Push } from "../sockets/pipeline.ts";
export { Publisher, Subscriber } from "../sockets/publish_subscribe.ts";
export type { OperationOptions } from "../sockets/queue.ts";
export { Reply, Request } from "../sockets/request_reply.ts";
export { type Readable, Socket, type SocketOptions, type Writable } from "../sockets/socket.ts";
export type { Protocol } from "../peer.ts";
export type { PeerStats, SocketStats, TrafficStats } from "../sockets/stats.ts";
export type { Topic } from "../sockets/topics.ts";
export { XPublisher, XSubscriber } from "../sockets/xpub_xsub.ts";
export { decodeZ85, encodeZ85 } from "../z85.ts";
