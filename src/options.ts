// Socket options: what they mean, in one interface for each group.

import type { IdleOptions } from "./idle_options.ts";
import type { SecurityOptions } from "./security_options.ts";
import type { WebSocketOptions } from "./websocket_options.ts";

/** Options that every socket has. */
export interface CommonOptions extends IdleOptions, SecurityOptions, WebSocketOptions {
  /**
   * How long `close` waits for messages that were not sent yet, in milliseconds: 0 drops them, -1 waits for ever.
   * `ZMQ_LINGER`.
   * @default {-1}
   */
  linger: number;
  /**
   * The wait before the first attempt to reconnect, in milliseconds; a random part of at most as much is added. -1 never
   * reconnects. `ZMQ_RECONNECT_IVL`.
   * @default {100}
   */
  reconnectInterval: number;
  /**
   * With each failed attempt the wait may double up to this many milliseconds; 0 keeps it as it is.
   * `ZMQ_RECONNECT_IVL_MAX`.
   * @default {0}
   */
  reconnectMaxInterval: number;
  /**
   * How long one attempt to connect may take, in milliseconds; 0 leaves it to the system. `ZMQ_CONNECT_TIMEOUT`.
   * @default {0}
   */
  connectTimeout: number;
  /**
   * How long a peer may take for the ZMTP handshake, in milliseconds; 0 means as long as it likes. `ZMQ_HANDSHAKE_IVL`.
   * @default {30000}
   */
  handshakeInterval: number;
  /**
   * The longest frame that is accepted, in octets; a peer that announces more loses its connection. -1 means up to
   * 2147483647. `ZMQ_MAXMSGSIZE`.
   * @default {-1}
   */
  maxMessageSize: number;
  /**
   * The most octets of all frames of one message that is accepted; a peer that announces more loses its connection. -1
   * means up to 2147483647.
   * @default {-1}
   */
  maxMultipartSize: number;
  /**
   * The most frames of one message that is accepted; a peer that sends more loses its connection. 0 means any number. The
   * frames of a message are kept until its last one has come, whatever the high-water mark.
   * @default {65536}
   */
  maxMessageParts: number;
  /**
   * How many connections to a bound endpoint may be in their handshake at a time; 0 means any number. When there is one
   * more, the oldest of them is ended, from the address that most of them come from.
   * @default {1000}
   */
  maxPendingHandshakes: number;
  /**
   * How many connections may wait to be accepted. Bun always uses 512. `ZMQ_BACKLOG`.
   * @default {100}
   */
  backlog: number;
  /**
   * With `true`, `*` also binds IPv6 and host names may resolve to IPv6 addresses. Literal addresses work either way.
   * `ZMQ_IPV6`.
   * @default {false}
   */
  ipv6: boolean;
  /**
   * With `true`, messages are only routed to peers whose connection stands, not to those still being connected.
   * `ZMQ_IMMEDIATE`.
   * @default {false}
   */
  immediate: boolean;
  /**
   * TCP keep-alive: 1 on, 0 off, -1 as the system does. `ZMQ_TCP_KEEPALIVE`.
   * @default {-1}
   */
  tcpKeepalive: number;
  /**
   * Seconds of silence before the first TCP keep-alive probe; -1 as the system does. `ZMQ_TCP_KEEPALIVE_IDLE`.
   * @default {-1}
   */
  tcpKeepaliveIdle: number;
  /**
   * Probes before the connection counts as dead; -1 as the system does. No runtime can set it: any other value is
   * refused with `ENOTSUP` when binding or connecting. `ZMQ_TCP_KEEPALIVE_CNT`.
   * @default {-1}
   */
  tcpKeepaliveCount: number;
  /**
   * Seconds between probes; -1 as the system does. No runtime can set it: any other value is refused with `ENOTSUP` when
   * binding or connecting. `ZMQ_TCP_KEEPALIVE_INTVL`.
   * @default {-1}
   */
  tcpKeepaliveInterval: number;
  /**
   * Milliseconds after which unacknowledged octets end the connection; 0 as the system does. No runtime can set it: any
   * other value is refused with `ENOTSUP` when binding or connecting; `heartbeatInterval` does the same job.
   * `ZMQ_TCP_MAXRT`.
   * @default {0}
   */
  tcpMaxRetransmitTimeout: number;
  /**
   * The network interface to use. No runtime can set it: anything but `null` is refused with `ENOTSUP` when binding or
   * connecting; bind to the interface's address instead. `ZMQ_BINDTODEVICE`.
   * @default {null}
   */
  interface: string | null;
  /**
   * Which peers may connect over tcp: networks such as `"10.0.0.0/8"`, one or a list; all of them with `null`. Others are
   * closed as they are accepted. `ZMQ_TCP_ACCEPT_FILTER`.
   * @default {null}
   */
  tcpAcceptFilter: string | readonly string[] | null;
  /**
   * The `host:port` of a SOCKS5 proxy through which tcp connections are made; it also resolves host names.
   * `ZMQ_SOCKS_PROXY`.
   * @default {null}
   */
  socksProxy: string | null;
  /**
   * The name for the proxy, at most 255 octets; without one the proxy must not ask for it. `ZMQ_SOCKS_USERNAME`.
   * @default {null}
   */
  socksUsername: string | null;
  /**
   * The password for the proxy, at most 255 octets. `ZMQ_SOCKS_PASSWORD`.
   * @default {null}
   */
  socksPassword: string | null;
  /**
   * When not to connect again: `"refused"` (nobody listens), `"handshakeFailed"`, `"afterDisconnect"` (attempts under way
   * when `disconnect` is called with messages still waiting). `ZMQ_RECONNECT_STOP`.
   * @default {null}
   */
  reconnectStop: ReconnectStop | readonly ReconnectStop[] | null;
  /**
   * Milliseconds between PINGs to a peer; 0 sends none. Peers that speak ZMTP 3.0 get none. `ZMQ_HEARTBEAT_IVL`.
   * @default {0}
   */
  heartbeatInterval: number;
  /**
   * How long a peer may be silent after a PING, in milliseconds, before its connection is ended; -1 means as long as
   * `heartbeatInterval`, 0 for ever. `ZMQ_HEARTBEAT_TIMEOUT`.
   * @default {-1}
   */
  heartbeatTimeout: number;
  /**
   * How long the peer should wait for a sign of life before it ends the connection, in milliseconds, sent with each PING
   * in tenths of a second and 65.5 s at most, because libzmq misreads more; 0 leaves it to the peer. `ZMQ_HEARTBEAT_TTL`.
   * @default {0}
   */
  heartbeatTimeToLive: number;
  /**
   * With `true`, `metadataOf` tells where each received message came from.
   * @default {false}
   */
  attachMetadata: boolean;
  /**
   * Properties of the application that peers are told in the handshake; their names begin with `X-`. `ZMQ_METADATA`.
   * @default {no properties}
   */
  properties: Readonly<Record<string, string>>;
}

/** A reason not to connect again. */
export type ReconnectStop = "refused" | "handshakeFailed" | "afterDisconnect";

/** Options of sockets that send. */
export interface SendOptions {
  /**
   * How many messages may wait for one peer; 0 means any number. What is being written lies beyond it. `ZMQ_SNDHWM`.
   * @default {1000}
   */
  sendHighWaterMark: number;
  /**
   * How long `send` waits for room, in milliseconds: 0 not at all, -1 for ever. `ZMQ_SNDTIMEO`.
   * @default {-1}
   */
  sendTimeout: number;
  /**
   * Accepted without effect: no runtime can set the kernel's buffer. `ZMQ_SNDBUF`.
   * @default {-1}
   */
  sendBufferSize: number;
  /**
   * Accepted without effect: for multicast. `ZMQ_MULTICAST_HOPS`.
   * @default {1}
   */
  multicastHops: number;
}

/** Options of sockets that receive. */
export interface ReceiveOptions {
  /**
   * From how many unread messages of one peer on its connection is no longer read; 0 means never. `ZMQ_RCVHWM`.
   * @default {1000}
   */
  receiveHighWaterMark: number;
  /**
   * How long `receive` waits for a message, in milliseconds: 0 not at all, -1 for ever. `ZMQ_RCVTIMEO`.
   * @default {-1}
   */
  receiveTimeout: number;
  /**
   * Accepted without effect: no runtime can set the kernel's buffer. `ZMQ_RCVBUF`.
   * @default {-1}
   */
  receiveBufferSize: number;
}

/** Options of sockets that tell ROUTER peers who they are. */
export interface RoutingIdOptions {
  /**
   * The name under which a ROUTER peer knows this socket, 1 to 255 octets of which the first is not 0; `null` lets the
   * ROUTER choose. Octets are kept as they are; text is taken as UTF-8. `ZMQ_ROUTING_ID`.
   * @default {null}
   */
  routingId: string | Uint8Array | null;
}

/** The option of sockets that can announce themselves to a ROUTER. */
export interface ProbeOptions {
  /**
   * With `true`, an empty message is sent on every new connection. `ZMQ_PROBE_ROUTER`.
   * @default {false}
   */
  probeRouter: boolean;
}

/** Options of REQ sockets. */
export interface RequestRules {
  /**
   * With `true`, each request carries a number, and only a reply with the same number is accepted. `ZMQ_REQ_CORRELATE`.
   * @default {false}
   */
  correlate: boolean;
  /**
   * With `true`, a request may be sent before the last one was answered, which gives that one up. `ZMQ_REQ_RELAXED`.
   * @default {false}
   */
  relaxed: boolean;
}

/** Options of ROUTER sockets. */
export interface RouterRules {
  /**
   * With `true`, a message to an unknown peer fails with `EHOSTUNREACH`, and one to a peer that is full waits; with
   * `false` both are dropped. `ZMQ_ROUTER_MANDATORY`.
   * @default {false}
   */
  mandatory: boolean;
  /**
   * With `true`, a new connection with a known routing id takes the id over; with `false` it is refused.
   * `ZMQ_ROUTER_HANDOVER`.
   * @default {false}
   */
  handover: boolean;
}

/** The option of sockets for which only the newest message counts. */
export interface ConflateOptions {
  /**
   * With `true`, only the newest message is kept for each peer, or of each peer; the high-water marks do not matter then.
   * `ZMQ_CONFLATE`.
   * @default {false}
   */
  conflate: boolean;
}

/** The option of sockets that match topics. */
export interface MatchingOptions {
  /**
   * With `true`, the messages that match no topic are the ones that arrive; publishers and subscribers have to agree about
   * it. `ZMQ_INVERT_MATCHING`.
   * @default {false}
   */
  invertMatching: boolean;
}

/** Options of PUB and XPUB sockets. */
export interface PublisherOptions extends MatchingOptions {
  /**
   * With `true`, `send` waits while a subscriber that matches is at its high-water mark; with `false` such a subscriber
   * does without the message, which `stats` counts. `ZMQ_XPUB_NODROP`.
   * @default {false}
   */
  noDrop: boolean;
  /**
   * The longest topic that a subscriber may ask for, in octets; one that asks for more loses its connection.
   * @default {4096}
   */
  maxTopicLength: number;
  /**
   * How many topics one subscriber may have; one that asks for more loses its connection. 0 means any number. A proxy is
   * one subscriber, with the topics of all that are behind it.
   * @default {100000}
   */
  maxSubscriptions: number;
}

/** Which subscriptions are passed on: the first and last of each topic, all of them, or all and all ends of them. */
export type Verbosity = null | "allSubs" | "allSubsUnsubs";

/** Options of sockets that handle subscriptions as messages. */
export interface SubscriptionOptions {
  /**
   * An XPublisher shows the first and the last subscription to a topic, an XSubscriber sends them: `null`. With
   * `"allSubs"` every subscription is passed on, with `"allSubsUnsubs"` every end of one as well. `ZMQ_XPUB_VERBOSE`,
   * `ZMQ_XPUB_VERBOSER`, `ZMQ_XSUB_VERBOSE_UNSUBSCRIBE`.
   * @default {null}
   */
  verbosity: Verbosity;
  /**
   * With `true`, a message whose first frame is no subscription has none; with `false` each frame that begins with an
   * octet 0 or 1 is one. `ZMQ_ONLY_FIRST_SUBSCRIBE`.
   * @default {false}
   */
  onlyFirstSubscribe: boolean;
}

/** Options of XPUB sockets. */
export interface XPublisherOptions {
  /**
   * With `true`, subscriptions are only shown: what the peer really gets is up to `subscribe` and `unsubscribe`, called
   * after its request was received. `ZMQ_XPUB_MANUAL`.
   * @default {false}
   */
  manual: boolean;
  /**
   * As `manual`, and the message that is sent after a `subscribe` goes to that subscriber alone: a last-value cache sends
   * it what it has missed. `ZMQ_XPUB_MANUAL_LAST_VALUE`.
   * @default {false}
   */
  manualLastValue: boolean;
  /**
   * A message for each new subscriber, before any other; it has to match a topic of a SUB to be received there.
   * `ZMQ_XPUB_WELCOME_MSG`.
   * @default {null}
   */
  welcomeMessage: string | Uint8Array | null;
}

/** The option of STREAM sockets. */
export interface NotifyOptions {
  /**
   * With `true`, an empty message tells when a peer is connected and when it is gone. `ZMQ_STREAM_NOTIFY`.
   * @default {true}
   */
  notify: boolean;
}

/** Every option there is; a socket has those of its groups. */
export type OptionValues =
  & CommonOptions
  & SendOptions
  & ReceiveOptions
  & RoutingIdOptions
  & ProbeOptions
  & RequestRules
  & RouterRules
  & ConflateOptions
  & PublisherOptions
  & SubscriptionOptions
  & XPublisherOptions
  & NotifyOptions;

/** The name of an option. */
export type OptionName = keyof OptionValues;
