// The values of socket options: their defaults and ranges in one table, and how a value is checked.

import { TOPIC_LIMIT } from "../wasm/layout.ts";
import { CURVE_KEY_LENGTH, CURVE_KEY_SIZE, parseCurveKey } from "./curve_key.ts";
import { parseNetwork } from "./networks.ts";
import { withCode } from "./errors.ts";
import type { OptionName, OptionValues, ReconnectStop, Verbosity } from "./options.ts";
import { pemFault, type PemKind } from "./pem.ts";
import { encodeZ85 } from "./z85.ts";

interface Integer {
  readonly default: number;
  readonly least: number;
  readonly most: number;
  readonly unit: string;
}

const FOREVER = 2 ** 31 - 1;
/** As browsers say where a page is from: no path, lower case; `null` for pages that are from nowhere. */
const ORIGIN = /^([a-z][a-z0-9+.-]*:\/\/[^/?#@\sA-Z]+|null)$/;

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
  maxMultipartSize: integer(-1, -1, "octets", Number.MAX_SAFE_INTEGER),
  maxMessageParts: integer(65_536, 0, "frames"),
  maxPendingHandshakes: integer(1_000, 0, "connections"),
  backlog: integer(100, 0, "connections"),
  tcpKeepalive: integer(-1, -1, "-1, 0 or 1", 1),
  tcpKeepaliveIdle: integer(-1, -1, "seconds"),
  tcpKeepaliveCount: integer(-1, -1, "probes"),
  tcpKeepaliveInterval: integer(-1, -1, "seconds"),
  tcpMaxRetransmitTimeout: integer(0, 0, "milliseconds"),
  heartbeatInterval: integer(0, 0, "milliseconds"),
  heartbeatTimeout: integer(-1, -1, "milliseconds"),
  heartbeatTimeToLive: integer(0, 0, "milliseconds", 6553599),
  affinity: integer(0, 0, "a set of threads", Number.MAX_SAFE_INTEGER),
  rate: integer(100, 1, "kilobits in a second"),
  recoveryInterval: integer(10000, 0, "milliseconds"),
  multicastHops: integer(1, 1, "hops"),
  multicastMaxTransportDataUnit: integer(1500, 1, "octets"),
  typeOfService: integer(0, 0, "an octet", 255),
  sendBufferSize: integer(-1, -1, "octets"),
  receiveBufferSize: integer(-1, -1, "octets"),
  vmciBufferSize: integer(0, 0, "octets", Number.MAX_SAFE_INTEGER),
  vmciBufferMinSize: integer(0, 0, "octets", Number.MAX_SAFE_INTEGER),
  vmciBufferMaxSize: integer(0, 0, "octets", Number.MAX_SAFE_INTEGER),
  vmciConnectTimeout: integer(-1, -1, "milliseconds"),
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
  routingId: null,
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
  notify: true,
  interface: null,
  tcpAcceptFilter: null,
  socksProxy: null,
  socksUsername: null,
  socksPassword: null,
  reconnectStop: null,
  attachMetadata: false,
  properties: Object.freeze({}),
  loopbackFastPath: false,
  plainServer: false,
  plainUsername: null,
  plainPassword: null,
  curveServer: false,
  curvePublicKey: null,
  curveSecretKey: null,
  curveServerKey: null,
  zapDomain: null,
  zapEnforceDomain: false,
  origins: null,
  wssKeyPem: null,
  wssCertPem: null,
  wssTrustPem: null,
  wssHostname: null,
  wssTrustSystem: false,
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
      const { least, most, unit } = range;
      throw outOfRange(name, `${value}`, `an integer from ${least} to ${most} (${unit})`);
    }
    return value as OptionValues[N];
  }
  const check = CHECKS[name];
  if (check !== undefined) return check(name, value) as OptionValues[N];
  if (typeof value !== "boolean") throw wrongType(name, "true or false", value);
  return value as OptionValues[N];
}

/** What is neither a number nor a truth. */
const CHECKS: { readonly [name in OptionName]?: (name: string, value: unknown) => unknown } = {
  routingId: checkRoutingId,
  verbosity: checkVerbosity,
  welcomeMessage: checkWelcome,
  interface: checkText,
  tcpAcceptFilter: checkNetworks,
  socksProxy: checkProxy,
  socksUsername: checkCredential,
  socksPassword: checkCredential,
  reconnectStop: checkReasons,
  properties: checkProperties,
  plainUsername: checkClearText,
  plainPassword: checkClearText,
  curvePublicKey: checkKey,
  curveSecretKey: checkKey,
  curveServerKey: checkKey,
  zapDomain: checkCredential,
  origins: checkOrigins,
  wssKeyPem: (name, value) => checkPem(name, value, "a private key"),
  wssCertPem: (name, value) => checkPem(name, value, "certificates"),
  wssTrustPem: (name, value) => checkPem(name, value, "certificates"),
  wssHostname: checkClearText,
};

/** A list is kept as it is now. */
function checkOrigins(name: string, value: unknown): string | readonly string[] | null {
  if (value === null) return null;
  const origins = typeof value === "string" ? [value] : value;
  if (!Array.isArray(origins) || origins.some((origin) => typeof origin !== "string")) {
    throw wrongType(name, 'origins such as "https://example.org", "*" or null', value);
  }
  for (const origin of origins) {
    if (origin === "*" || ORIGIN.test(origin)) continue;
    throw outOfRange(
      name,
      JSON.stringify(origin),
      'scheme://host, with a port if it is not the usual one, as browsers say it; "*" for all',
    );
  }
  return typeof value === "string" ? value : Object.freeze([...origins]);
}

function checkRoutingId(name: string, value: unknown): string | Uint8Array | null {
  if (value === null || value === "") return null;
  if (typeof value !== "string" && !(value instanceof Uint8Array)) {
    throw wrongType(name, "a string or octets", value);
  }
  const octets = routingIdBytes(value);
  if (octets.length > 255) throw outOfRange(name, `${octets.length} octets`, "at most 255");
  if (octets[0] === 0) {
    throw outOfRange(
      name,
      "octets that begin with 0",
      "another beginning: 0 is kept for the ids that a Router makes up",
    );
  }
  return typeof value === "string" ? value : value.slice();
}

function checkVerbosity(name: string, value: unknown): Verbosity {
  if (value === null || value === "allSubs" || value === "allSubsUnsubs") return value;
  const expected = 'null, "allSubs" or "allSubsUnsubs"';
  if (typeof value !== "string") throw wrongType(name, expected, value);
  throw outOfRange(name, JSON.stringify(value), expected);
}

function checkWelcome(name: string, value: unknown): string | Uint8Array | null {
  if (value === null || typeof value === "string") return value;
  if (value instanceof Uint8Array) return value.slice();
  throw wrongType(name, "a string, octets or null", value);
}

/** As libzmq, an empty text is none. */
function checkText(name: string, value: unknown): string | null {
  if (value === null || value === "") return null;
  if (typeof value === "string") return value;
  throw wrongType(name, "a string or null", value);
}

/** As with other keys, the text is not repeated. */
function checkPem(name: string, value: unknown, kind: PemKind): string | null {
  const text = checkText(name, value);
  const fault = text === null ? undefined : pemFault(text, kind);
  if (fault === undefined) return text;
  throw outOfRange(name, fault, `the text of ${kind} as PEM`);
}

function checkCredential(name: string, value: unknown): string | null {
  return checkClearText(name, checkText(name, value));
}

/** Here an empty text is one. */
function checkClearText(name: string, value: unknown): string | null {
  if (value !== null && typeof value !== "string") throw wrongType(name, "a string or null", value);
  const size = new TextEncoder().encode(value ?? "").length;
  if (size > 255) throw outOfRange(name, `${size} octets`, "at most 255");
  return value;
}

/** The text of an error does not repeat what may be a secret. */
function checkKey(name: string, value: unknown): string | null {
  if (value === null) return null;
  const key = parseCurveKey(value);
  if (key !== undefined) {
    const text = encodeZ85(key);
    key.fill(0);
    return text;
  }
  const expected = `a key of ${CURVE_KEY_LENGTH} characters of Z85, or of ${CURVE_KEY_SIZE} octets`;
  if (typeof value === "string") {
    const short = value.length !== CURVE_KEY_LENGTH;
    throw outOfRange(name, short ? `${value.length} characters` : "text that is no Z85", expected);
  }
  if (value instanceof Uint8Array) throw outOfRange(name, `${value.length} octets`, expected);
  throw wrongType(name, expected, value);
}

function checkProxy(name: string, value: unknown): string | null {
  const text = checkText(name, value);
  const [, port] = /^(?:\[[^\]]+\]|[^:[\]]+):(\d{1,5})$/.exec(text ?? "") ?? [];
  if (text === null || (Number(port) > 0 && Number(port) < 65536)) return text;
  throw outOfRange(name, JSON.stringify(text), 'host:port such as "127.0.0.1:1080"');
}

function checkNetworks(name: string, value: unknown): string | readonly string[] | null {
  const kept = Array.isArray(value) ? Object.freeze([...value]) : checkText(name, value);
  for (const network of listOf(kept)) {
    if (typeof network !== "string") throw wrongType(name, "networks as strings", network);
    if (parseNetwork(network) !== undefined) continue;
    throw outOfRange(name, JSON.stringify(network), 'an address or a network such as "10.0.0.0/8"');
  }
  return kept;
}

const STOPS: readonly unknown[] = ["refused", "handshakeFailed", "afterDisconnect"];

function checkReasons(
  name: string,
  value: unknown,
): ReconnectStop | readonly ReconnectStop[] | null {
  for (const reason of listOf(value)) {
    if (STOPS.includes(reason)) continue;
    const expected = `null, or one or a list of ${STOPS.map((stop) => `"${stop}"`).join(", ")}`;
    if (typeof reason !== "string") throw wrongType(name, expected, reason);
    throw outOfRange(name, JSON.stringify(reason), expected);
  }
  return Array.isArray(value) ? Object.freeze([...value]) : value as ReconnectStop | null;
}

/** The values of an option that may be one, several or none. */
export function listOf<T>(value: T | readonly T[] | null): readonly T[] {
  if (value === null) return [];
  return Array.isArray(value) ? value : [value as T];
}

function checkProperties(name: string, value: unknown): Readonly<Record<string, string>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw wrongType(name, "an object of names and values", value);
  }
  for (const [property, text] of Object.entries(value)) {
    if (typeof text !== "string") throw wrongType(`${name}.${property}`, "a string", text);
    if (/^X-[A-Za-z0-9\-_.+]{1,253}$/.test(property)) continue;
    throw outOfRange(
      name,
      JSON.stringify(property),
      "names of letters, digits, - _ . + that begin with X-, at most 255 long",
    );
  }
  return Object.freeze({ ...value as Record<string, string> });
}

/** A routing id as octets. */
export function routingIdBytes(value: string | Uint8Array | null): Uint8Array {
  if (value === null) return new Uint8Array(0);
  return typeof value === "string" ? new TextEncoder().encode(value) : value;
}

/** The error for a value that an option cannot have. */
export function outOfRange(name: string, got: string, expected: string): RangeError {
  return withCode(new RangeError(`Cannot set ${name} to ${got}: expected ${expected}`), "EINVAL");
}

/** The error for a value of a type that an option does not take. */
export function wrongType(name: string, expected: string, value: unknown): TypeError {
  const got = value === null ? "null" : typeof value;
  return withCode(
    new TypeError(`Cannot set ${name}: the option value must be ${expected}, not ${got}`),
    "EINVAL",
  );
}
