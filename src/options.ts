// Socket options: their names, defaults and ranges in one table, and what they mean in one interface for each group.

import { TOPIC_LIMIT } from "../wasm/layout.ts";
import { withCode } from "./errors.ts";

/** Options that every socket has. */
export interface CommonOptions {
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
}

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
}

/** Options of sockets that tell ROUTER peers who they are. */
export interface RoutingIdOptions {
  /**
   * The name under which a ROUTER peer knows this socket, 1 to 255 octets; empty lets the ROUTER choose. Octets are kept
   * as they are; text is taken as UTF-8. `ZMQ_ROUTING_ID`.
   * @default {""}
   */
  routingId: string | Uint8Array;
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
  & XPublisherOptions;

/** The name of an option. */
export type OptionName = keyof OptionValues;

interface Integer {
  readonly default: number;
  readonly least: number;
  readonly most: number;
  readonly unit: string;
}

const FOREVER = 2 ** 31 - 1;

function integer(standard: number, least: number, unit: string, most: number = FOREVER): Integer {
  return { default: standard, least, most, unit };
}

const INTEGERS: Readonly<Partial<Record<OptionName, Integer>>> = {
  linger: integer(-1, -1, "milliseconds"),
  reconnectInterval: integer(100, -1, "milliseconds"),
  reconnectMaxInterval: integer(0, 0, "milliseconds"),
  connectTimeout: integer(0, 0, "milliseconds"),
  handshakeInterval: integer(30000, 0, "milliseconds"),
  maxMessageSize: integer(-1, -1, "octets", Number.MAX_SAFE_INTEGER),
  backlog: integer(100, 0, "connections"),
  tcpKeepalive: integer(-1, -1, "-1, 0 or 1", 1),
  tcpKeepaliveIdle: integer(-1, -1, "seconds"),
  tcpKeepaliveCount: integer(-1, -1, "probes"),
  tcpKeepaliveInterval: integer(-1, -1, "seconds"),
  sendHighWaterMark: integer(1000, 0, "messages"),
  sendTimeout: integer(-1, -1, "milliseconds"),
  receiveHighWaterMark: integer(1000, 0, "messages"),
  receiveTimeout: integer(-1, -1, "milliseconds"),
  maxTopicLength: integer(4096, 0, "octets", TOPIC_LIMIT),
  maxSubscriptions: integer(100_000, 0, "subscriptions"),
};

const DEFAULTS: Readonly<OptionValues> = {
  ...(Object.fromEntries(
    Object.entries(INTEGERS).map(([name, { default: value }]) => [name, value]),
  ) as {
    [name in keyof typeof INTEGERS]: number;
  } as unknown as OptionValues),
  ipv6: false,
  immediate: false,
  routingId: "",
  probeRouter: false,
  correlate: false,
  relaxed: false,
  mandatory: false,
  handover: false,
  conflate: false,
  invertMatching: false,
  noDrop: false,
  verbosity: null,
  onlyFirstSubscribe: false,
  manual: false,
  manualLastValue: false,
  welcomeMessage: null,
};

/** The options of a new socket, all at their defaults. */
export function defaultOptions(): OptionValues {
  return { ...DEFAULTS };
}

/**
 * The value to keep for an option, or an error that says what was expected.
 *
 * @throws {TypeError} `EINVAL` when the value has the wrong type.
 * @throws {RangeError} `EINVAL` when the value is out of range.
 */
export function checkOption<N extends OptionName>(name: N, value: unknown): OptionValues[N] {
  const range = INTEGERS[name];
  if (range !== undefined) {
    if (typeof value !== "number") throw wrongType(name, `a number (${range.unit})`, value);
    if (!Number.isInteger(value) || value < range.least || value > range.most) {
      throw withCode(
        new RangeError(
          `Cannot set ${name} to ${value}: expected an integer from ${range.least} to ${range.most} (${range.unit})`,
        ),
        "EINVAL",
      );
    }
    return value as OptionValues[N];
  }
  if (name === "routingId") return checkRoutingId(name, value) as OptionValues[N];
  if (name === "verbosity") return checkVerbosity(name, value) as OptionValues[N];
  if (name === "welcomeMessage") return checkWelcome(name, value) as OptionValues[N];
  if (typeof value !== "boolean") throw wrongType(name, "true or false", value);
  return value as OptionValues[N];
}

function checkRoutingId(name: string, value: unknown): string | Uint8Array {
  if (value === null) return "";
  if (typeof value !== "string" && !(value instanceof Uint8Array)) {
    throw wrongType(name, "a string or octets", value);
  }
  const size = routingIdBytes(value).length;
  if (size > 255) {
    throw withCode(
      new RangeError(`Cannot set ${name} to ${size} octets: expected at most 255`),
      "EINVAL",
    );
  }
  return typeof value === "string" ? value : value.slice();
}

function checkVerbosity(name: string, value: unknown): Verbosity {
  if (value === null || value === "allSubs" || value === "allSubsUnsubs") return value;
  const expected = 'null, "allSubs" or "allSubsUnsubs"';
  if (typeof value !== "string") throw wrongType(name, expected, value);
  throw withCode(
    new RangeError(`Cannot set ${name} to ${JSON.stringify(value)}: expected ${expected}`),
    "EINVAL",
  );
}

function checkWelcome(name: string, value: unknown): string | Uint8Array | null {
  if (value === null || typeof value === "string") return value;
  if (value instanceof Uint8Array) return value.slice();
  throw wrongType(name, "a string, octets or null", value);
}

/** A routing id as octets. */
export function routingIdBytes(value: string | Uint8Array): Uint8Array {
  return typeof value === "string" ? new TextEncoder().encode(value) : value;
}

function wrongType(name: string, expected: string, value: unknown): TypeError {
  const got = value === null ? "null" : typeof value;
  return withCode(
    new TypeError(`Cannot set ${name}: the option value must be ${expected}, not ${got}`),
    "EINVAL",
  );
}

/**
 * Gives a class the accessors of its options. A value that is set is checked at once; reading gives what was set.
 * `values` tells where an instance keeps them.
 */
export function defineOptions<T extends object>(
  target: { readonly prototype: T },
  names: readonly OptionName[],
  values: (instance: T) => OptionValues,
): void {
  for (const name of names) {
    Object.defineProperty(target.prototype, name, {
      configurable: true,
      enumerable: true,
      get(this: T): unknown {
        return values(this)[name];
      },
      set(this: T, value: unknown): void {
        (values(this) as Record<OptionName, unknown>)[name] = checkOption(name, value);
      },
    });
  }
}
