// The values of socket options: their defaults and ranges in one table, and how a value is checked.

import { TOPIC_LIMIT } from "../wasm/layout.ts";
import { withCode } from "./errors.ts";
import type { OptionName, OptionValues, Verbosity } from "./options.ts";

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
