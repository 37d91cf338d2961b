// Every option of every socket class with its default and its range, written from libzmq's documentation and zeromq.js's
// typings, apart from the sources.

import {
  Dealer,
  Pair,
  Publisher,
  Pull,
  Push,
  Reply,
  Request,
  Router,
  type Socket,
  Stream,
  Subscriber,
  XPublisher,
  XSubscriber,
} from "../../mod.ts";
import { AUTHORITY, CHAINED, SERVER } from "./certificates.ts";

/** The socket classes. */
export const CLASSES: Readonly<Record<ClassName, new (options?: object) => Socket>> = {
  Pair,
  Push,
  Pull,
  Request,
  Reply,
  Dealer,
  Router,
  Publisher,
  Subscriber,
  XPublisher,
  XSubscriber,
  Stream,
} as unknown as Readonly<Record<ClassName, new (options?: object) => Socket>>;

/** The name of a socket class. */
export type ClassName =
  | "Pair"
  | "Push"
  | "Pull"
  | "Request"
  | "Reply"
  | "Dealer"
  | "Router"
  | "Publisher"
  | "Subscriber"
  | "XPublisher"
  | "XSubscriber"
  | "Stream";

/** The names of the socket classes. */
export const CLASS_NAMES: readonly ClassName[] = Object.keys(CLASSES) as ClassName[];

/** A value that an option does not take, the error's class, and what its text says besides the option's name. */
export type WrongValue = readonly [
  value: unknown,
  type: typeof TypeError | typeof RangeError,
  ...says: string[],
];

/** What is known of an option. */
export interface OptionFacts {
  readonly default: unknown;
  /** Other values that it takes. */
  readonly others: readonly unknown[];
  readonly wrong: readonly WrongValue[];
}

const INT_MAX = 2 ** 31 - 1;

function integer(standard: number, least: number, most: number = INT_MAX): OptionFacts {
  const range = `from ${least} to ${most}`;
  const other = [7, 1, 0].find((value) => value !== standard && value >= least && value <= most)!;
  return {
    default: standard,
    others: [...new Set([other, least, most])].filter((value) => value !== standard),
    wrong: [
      ["10", TypeError, "a number", "string"],
      [null, TypeError, "a number", "null"],
      [10n, TypeError, "a number", "bigint"],
      [true, TypeError, "a number", "boolean"],
      [{}, TypeError, "a number", "object"],
      [least - 1, RangeError, String(least - 1), range],
      [most + 1, RangeError, String(most + 1), range],
      [least + 0.5, RangeError, String(least + 0.5), "integer"],
      [NaN, RangeError, "NaN", range],
      [Infinity, RangeError, "Infinity", range],
      [-Infinity, RangeError, "-Infinity", range],
    ],
  };
}

function flag(standard = false): OptionFacts {
  return {
    default: standard,
    others: [!standard],
    wrong: [
      [1, TypeError, "true or false", "number"],
      [0, TypeError, "true or false", "number"],
      ["true", TypeError, "true or false", "string"],
      [null, TypeError, "true or false", "null"],
    ],
  };
}

/** A text of at most 255 octets. */
function text(...others: string[]): OptionFacts {
  return {
    default: null,
    others: [...others, "t".repeat(255), "ü".repeat(127)],
    wrong: [
      [5, TypeError, "string", "number"],
      [true, TypeError, "string", "boolean"],
      [["text"], TypeError, "string"],
      [new Uint8Array(5), TypeError, "string"],
      ["t".repeat(256), RangeError, "256", "255"],
      ["ü".repeat(128), RangeError, "256", "255"],
    ],
  };
}

/** A key of CURVE, which is read as text. */
const KEY: OptionFacts = {
  default: null,
  others: ["rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7", "0".repeat(40)],
  wrong: [
    [5, TypeError, "40 characters", "32 octets", "number"],
    [true, TypeError, "40 characters", "32 octets", "boolean"],
    [{}, TypeError, "40 characters", "32 octets", "object"],
    [new Array(32).fill(0), TypeError, "40 characters", "32 octets"],
    ["", RangeError, "0 characters", "40 characters", "32 octets"],
    ["rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf", RangeError, "39 characters", "40 characters"],
    ["rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7\0", RangeError, "41 characters", "40 characters"],
    ["54fcba24e93249969316fb617c872bb0c1d1ff14800427c594cbfacf1bc2d652", RangeError, "64"],
    // Of characters that Z85 does not have, and of a group that is more than 32 bits.
    ["~".repeat(40), RangeError, "Z85", "40 characters"],
    [" ".repeat(40), RangeError, "Z85", "40 characters"],
    ["#".repeat(40), RangeError, "Z85", "40 characters"],
    [new Uint8Array(31), RangeError, "31 octets", "32 octets"],
    [new Uint8Array(33), RangeError, "33 octets", "32 octets"],
    [new Uint8Array(0), RangeError, "0 octets", "32 octets"],
  ],
};

const SECURITY: Readonly<Record<string, OptionFacts>> = {
  plainServer: flag(),
  plainUsername: text("user", "with space", "größer", ""),
  plainPassword: text("secret", "with\0nul", "✓", ""),
  curveServer: flag(),
  curvePublicKey: KEY,
  curveSecretKey: KEY,
  curveServerKey: KEY,
  zapDomain: text("global", "größer"),
  zapEnforceDomain: flag(),
};

/** PEM, of which the text of an error repeats nothing. */
function pem(...others: string[]): OptionFacts {
  return {
    default: null,
    others,
    wrong: [
      [5, TypeError, "string", "number"],
      [true, TypeError, "string", "boolean"],
      [new Uint8Array(5), TypeError, "string"],
      ["/etc/ssl/file.pem", RangeError, "text that is no PEM"],
      [OTHER_PEM, RangeError, "PEM of another kind"],
    ],
  };
}

const OTHER_PEM = "-----BEGIN DH PARAMETERS-----\nMAYCAQcCAQI=\n-----END DH PARAMETERS-----\n";

const WEB_SOCKET: Readonly<Record<string, OptionFacts>> = {
  origins: {
    default: null,
    others: ["*", "https://example.org", ["https://a.example", "http://b.example:8080"]],
    wrong: [
      [5, TypeError, "https://example.org", "number"],
      [["https://example.org", 5], TypeError, '"*" or null'],
      ["example.org", RangeError, "example.org", "scheme://host"],
      ["https://example.org/", RangeError, "scheme://host"],
      [["*", "https://example.org/page"], RangeError, "/page"],
    ],
  },
  wssKeyPem: pem(SERVER.key),
  wssCertPem: pem(CHAINED.certificate),
  wssTrustPem: pem(AUTHORITY),
  wssHostname: text("peer.test", "127.0.0.1", ""),
  wssTrustSystem: flag(),
};

const COMMON: Readonly<Record<string, OptionFacts>> = {
  ...SECURITY,
  ...WEB_SOCKET,
  linger: integer(-1, -1),
  reconnectInterval: integer(100, -1),
  reconnectMaxInterval: integer(0, 0),
  connectTimeout: integer(0, 0),
  handshakeInterval: integer(30_000, 0),
  maxMessageSize: integer(-1, -1, Number.MAX_SAFE_INTEGER),
  maxMultipartSize: integer(-1, -1, Number.MAX_SAFE_INTEGER),
  maxMessageParts: integer(65_536, 0),
  maxPendingHandshakes: integer(1_000, 0),
  backlog: integer(100, 0),
  ipv6: flag(),
  immediate: flag(),
  tcpKeepalive: integer(-1, -1, 1),
  tcpKeepaliveIdle: integer(-1, -1),
  tcpKeepaliveCount: integer(-1, -1),
  tcpKeepaliveInterval: integer(-1, -1),
  heartbeatInterval: integer(0, 0),
  heartbeatTimeout: integer(-1, -1),
  heartbeatTimeToLive: integer(0, 0, 6_553_599),
  tcpMaxRetransmitTimeout: integer(0, 0),
  affinity: integer(0, 0, Number.MAX_SAFE_INTEGER),
  rate: integer(100, 1),
  recoveryInterval: integer(10_000, 0),
  multicastMaxTransportDataUnit: integer(1500, 1),
  typeOfService: integer(0, 0, 255),
  vmciBufferSize: integer(0, 0, Number.MAX_SAFE_INTEGER),
  vmciBufferMinSize: integer(0, 0, Number.MAX_SAFE_INTEGER),
  vmciBufferMaxSize: integer(0, 0, Number.MAX_SAFE_INTEGER),
  vmciConnectTimeout: integer(-1, -1),
  loopbackFastPath: flag(),
  attachMetadata: flag(),
  interface: {
    default: null,
    others: ["lo"],
    wrong: [[5, TypeError, "string", "number"], [["lo"], TypeError, "string"]],
  },
  tcpAcceptFilter: {
    default: null,
    others: [
      "127.0.0.0/8",
      "10.1.2.3",
      "::1/128",
      "fe80::/10",
      "0.0.0.0/0",
      ["10.0.0.0/8", "::/0"],
    ],
    wrong: [
      [5, TypeError, "string"],
      [true, TypeError, "string"],
      [[5], TypeError, "string"],
      ["nonsense", RangeError, "nonsense"],
      ["localhost", RangeError, "localhost"],
      ["10.0.0.0/33", RangeError, "10.0.0.0/33"],
      ["10.0.0.0/-1", RangeError, "10.0.0.0/-1"],
      ["10.0.0.0/", RangeError, "10.0.0.0/"],
      ["10.0.0.0/x", RangeError, "10.0.0.0/x"],
      ["10.0.0.0/8/8", RangeError, "10.0.0.0/8/8"],
      ["10.0.0/8", RangeError, "10.0.0/8"],
      ["10.0.0.256", RangeError, "10.0.0.256"],
      ["::1/129", RangeError, "::1/129"],
      ["::1::/10", RangeError, "::1::/10"],
      ["10.0.0.0/8 ", RangeError, "10.0.0.0/8 "],
      [["10.0.0.0/8", "nonsense"], RangeError, "nonsense"],
    ],
  },
  socksProxy: {
    default: null,
    others: ["127.0.0.1:1080", "proxy.example:9050", "[::1]:1080"],
    wrong: [
      [5, TypeError, "string"],
      [["127.0.0.1:1080"], TypeError, "string"],
      ["127.0.0.1", RangeError, "127.0.0.1"],
      ["127.0.0.1:", RangeError, "127.0.0.1:"],
      [":1080", RangeError, ":1080"],
      ["127.0.0.1:99999", RangeError, "99999"],
      ["127.0.0.1:http", RangeError, "http"],
      ["::1:1080", RangeError, "::1:1080"],
    ],
  },
  socksUsername: {
    default: null,
    others: ["user", "u".repeat(255)],
    wrong: [
      [5, TypeError, "string"],
      ["u".repeat(256), RangeError, "256", "255"],
      ["ü".repeat(128), RangeError, "256", "255"],
    ],
  },
  socksPassword: {
    default: null,
    others: ["secret", "p".repeat(255)],
    wrong: [[5, TypeError, "string"], ["p".repeat(256), RangeError, "256", "255"]],
  },
  reconnectStop: {
    default: null,
    others: [
      ["refused"],
      ["handshakeFailed", "afterDisconnect"],
      ["refused", "handshakeFailed", "afterDisconnect"],
    ],
    wrong: [
      [5, TypeError, "refused", "handshakeFailed", "afterDisconnect"],
      [true, TypeError, "refused"],
      [["refused", "never"], RangeError, "never", "refused", "handshakeFailed"],
    ],
  },
  properties: {
    default: {},
    others: [{ "X-name": "value" }, { "X-a": "1", "X-b": "" }],
    wrong: [
      [5, TypeError, "object"],
      ["X-name=value", TypeError, "string"],
      [null, TypeError, "null"],
      [{ name: "value" }, RangeError, "name", "X-"],
      [{ "Socket-Type": "REP" }, RangeError, "Socket-Type", "X-"],
      [{ "X-name": 5 }, TypeError, "X-name"],
      [{ [`X-${"n".repeat(254)}`]: "v" }, RangeError, "255"],
    ],
  },
};

const SENDING: Readonly<Record<string, OptionFacts>> = {
  sendHighWaterMark: integer(1000, 0),
  sendTimeout: integer(-1, -1),
  sendBufferSize: integer(-1, -1),
  multicastHops: integer(1, 1),
};

const RECEIVING: Readonly<Record<string, OptionFacts>> = {
  receiveHighWaterMark: integer(1000, 0),
  receiveTimeout: integer(-1, -1),
  receiveBufferSize: integer(-1, -1),
};

const BOTH: Readonly<Record<string, OptionFacts>> = { ...SENDING, ...RECEIVING };

const ROUTING_ID: Readonly<Record<string, OptionFacts>> = {
  routingId: {
    default: null,
    others: ["me", "x".repeat(255), Uint8Array.of(1, 0, 255, 0)],
    wrong: [
      [5, TypeError, "a string or octets", "number"],
      ["x".repeat(256), RangeError, "256 octets", "at most 255"],
      ["ü".repeat(128), RangeError, "256 octets", "at most 255"],
      [new Uint8Array(300).fill(1), RangeError, "300 octets", "at most 255"],
      [Uint8Array.of(0, 1), RangeError, "begin with 0", "a Router makes up"],
      ["\0me", RangeError, "begin with 0", "a Router makes up"],
    ],
  },
};

const VERBOSITY: OptionFacts = {
  default: null,
  others: ["allSubs", "allSubsUnsubs"],
  wrong: [
    [5, TypeError, "allSubs", "allSubsUnsubs", "number"],
    [true, TypeError, "allSubs", "boolean"],
    ["all", RangeError, '"all"', "allSubs", "allSubsUnsubs"],
  ],
};

const WELCOME: OptionFacts = {
  default: null,
  others: ["hello", "", Uint8Array.of(0, 255)],
  wrong: [[5, TypeError, "a string", "number"], [["hello"], TypeError, "a string"]],
};

const PUBLISHING: Readonly<Record<string, OptionFacts>> = {
  noDrop: flag(),
  invertMatching: flag(),
  maxTopicLength: integer(4096, 0, 65_526),
  maxSubscriptions: integer(100_000, 0),
};

const SUBSCRIPTIONS: Readonly<Record<string, OptionFacts>> = {
  verbosity: VERBOSITY,
  onlyFirstSubscribe: flag(),
};

/** libzmq lets subscribers drop what waits: it is subscriptions only. */
const NO_LINGER: Readonly<Record<string, OptionFacts>> = {
  linger: { ...COMMON.linger, default: 0, others: [-1, 7] },
};

/** All options of each class. */
export const OPTIONS: Readonly<Record<ClassName, Readonly<Record<string, OptionFacts>>>> = {
  Pair: { ...COMMON, ...BOTH },
  Push: { ...COMMON, ...SENDING, conflate: flag() },
  Pull: { ...COMMON, ...RECEIVING, conflate: flag() },
  Request: {
    ...COMMON,
    ...BOTH,
    ...ROUTING_ID,
    probeRouter: flag(),
    correlate: flag(),
    relaxed: flag(),
  },
  Reply: { ...COMMON, ...BOTH, ...ROUTING_ID },
  Dealer: { ...COMMON, ...BOTH, ...ROUTING_ID, probeRouter: flag(), conflate: flag() },
  Router: {
    ...COMMON,
    ...BOTH,
    ...ROUTING_ID,
    probeRouter: flag(),
    mandatory: flag(),
    handover: flag(),
  },
  Publisher: { ...COMMON, ...SENDING, ...PUBLISHING, conflate: flag() },
  Subscriber: {
    ...COMMON,
    ...RECEIVING,
    ...NO_LINGER,
    conflate: flag(),
    invertMatching: flag(),
  },
  XPublisher: {
    ...COMMON,
    ...BOTH,
    ...PUBLISHING,
    ...SUBSCRIPTIONS,
    manual: flag(),
    manualLastValue: flag(),
    welcomeMessage: WELCOME,
  },
  XSubscriber: { ...COMMON, ...BOTH, ...SUBSCRIPTIONS, ...NO_LINGER },
  Stream: { ...COMMON, ...BOTH, notify: flag(true) },
};

/** The names of all options of all classes. */
export const OPTION_NAMES: readonly string[] = [
  ...new Set(CLASS_NAMES.flatMap((name) => Object.keys(OPTIONS[name]))),
];

/** A socket's options as plain properties. */
export function valuesOf(socket: Socket): Record<string, unknown> {
  return socket as unknown as Record<string, unknown>;
}

/** A value in a test's name. */
export function describeValue(value: unknown): string {
  if (value instanceof Uint8Array) return `${value.length} octets`;
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "number") return String(value);
  const text = JSON.stringify(value);
  return text.length > 40 ? `${text.length} characters` : text;
}
