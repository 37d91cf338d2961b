// Whom an Authenticator lets in: lists of addresses, passwords, keys, or a function that decides.

import { parseCurveKey } from "../curve_key.ts";
import { sameOctets } from "../octets.ts";
import { withCode } from "../errors.ts";
import { isInNetwork, type Network, parseNetwork } from "../networks.ts";
import { listOf, outOfRange, wrongType } from "../option_values.ts";
import type { CurveKeyLike } from "../security_options.ts";
import { encodeZ85 } from "../z85.ts";

/** Who wants to come in, and where. */
export interface AuthenticationRequest {
  /** The `zapDomain` of the socket; may be empty. */
  readonly domain: string;
  /** The address of the peer's host; empty on transports that have none (ipc). */
  readonly address: string;
  /** The security mechanism of the connection. */
  readonly mechanism: "NULL" | "PLAIN" | "CURVE";
}

/** What a PLAIN client says. */
export interface PlainCredentials {
  /** The `plainUsername`. */
  readonly username: string;
  /** The `plainPassword`. */
  readonly password: string;
}

/** What is known of a peer that is let in; `metadataOf` tells it with each of its messages. */
export interface Admission {
  /**
   * Who it is.
   * @default {the name of a PLAIN client, the public key of a CURVE client as Z85 text}
   */
  readonly userId?: string;
  /** Properties of it. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** True to let a peer in, or what is known of it; false to send it away. */
export type Verdict = boolean | Admission;

/** Names with their passwords, or a function that decides. */
export type PlainPolicy =
  | Readonly<Record<string, string>>
  | ReadonlyMap<string, string>
  | ((
    credentials: PlainCredentials,
    request: AuthenticationRequest,
  ) => Verdict | Promise<Verdict>);

/** The public keys of the clients that may come in, `"any"` for all who have the server's key, or a function that decides. */
export type CurvePolicy =
  | "any"
  | Iterable<CurveKeyLike>
  | ((publicKey: string, request: AuthenticationRequest) => Verdict | Promise<Verdict>);

/** Whom to let in. */
export interface AccessPolicy {
  /**
   * The only addresses that may come in: `"10.1.2.3"`, networks such as `"10.0.0.0/8"`, `"ipc"` for peers of this machine
   * that have no address.
   * @default {all}
   */
  readonly allow?: string | readonly string[];
  /**
   * Addresses that may not, whatever else is said of them.
   * @default {none}
   */
  readonly deny?: string | readonly string[];
  /**
   * Who may come in with the mechanism PLAIN.
   * @default {nobody}
   */
  readonly plain?: PlainPolicy;
  /**
   * Who may come in with the mechanism CURVE.
   * @default {nobody}
   */
  readonly curve?: CurvePolicy;
}

/** Whom to let in, by the domains of the sockets where that matters. */
export interface AuthenticatorPolicy extends AccessPolicy {
  /** For sockets with these `zapDomain`s, in place of all the rest. */
  readonly domains?: Readonly<Record<string, AccessPolicy>> | ReadonlyMap<string, AccessPolicy>;
}

type PlainCheck = Extract<PlainPolicy, (...args: never) => unknown>;
type CurveCheck = Extract<CurvePolicy, (...args: never) => unknown>;

/** What stands for peers without an address. */
const LOCAL = "ipc";
/** What PLAIN can carry of a name, and of a password, in octets. */
const CREDENTIAL_LIMIT = 255;
/** Nobody's: it has no length and is not empty. */
const NO_PASSWORD = new Uint8Array(1 + CREDENTIAL_LIMIT).fill(1, 1);
const NOBODY = (): boolean => false;
const utf8 = new TextEncoder();
/** Broken text is nobody's name or password. */
const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The rules of one domain, checked and ready. */
export class Access {
  readonly #allow: readonly (Network | typeof LOCAL)[] | undefined;
  readonly #deny: readonly (Network | typeof LOCAL)[];
  readonly #plain: PlainCheck;
  readonly #curve: CurveCheck;

  /** Errors name the part of the policy, which begins with `prefix`. */
  constructor({ allow, deny, plain, curve }: AccessPolicy, prefix: string) {
    this.#allow = allow === undefined ? undefined : networksOf(`${prefix}allow`, allow);
    this.#deny = deny === undefined ? [] : networksOf(`${prefix}deny`, deny);
    this.#plain = plain === undefined ? NOBODY : plainCheck(`${prefix}plain`, plain);
    this.#curve = curve === undefined ? NOBODY : curveCheck(`${prefix}curve`, curve);
  }

  /** Decides about a peer. */
  async decide(
    request: AuthenticationRequest,
    credentials: readonly Uint8Array[],
  ): Promise<Verdict> {
    const isPeer = (each: Network | typeof LOCAL) =>
      each === LOCAL ? request.address === "" : isInNetwork(request.address, each);
    if (this.#deny.some(isPeer) || this.#allow?.some(isPeer) === false) return false;
    switch (request.mechanism) {
      case "NULL":
        return true;
      case "PLAIN": {
        const [username, password] = credentials.map(decoded);
        if (username === undefined || password === undefined) return false;
        return named(await this.#plain({ username, password }, request), username);
      }
      case "CURVE": {
        const key = encodeZ85(credentials[0]);
        return named(await this.#curve(key, request), key);
      }
    }
  }
}

/** Who nobody gave another id has the one that was checked. */
function named(verdict: Verdict, userId: string): Verdict {
  if (verdict === false) return false;
  if (verdict === true) return { userId };
  if (typeof verdict === "object" && verdict !== null && !Array.isArray(verdict)) {
    return { userId, ...verdict };
  }
  throw new TypeError("A policy must answer true, false or an object");
}

function networksOf(
  name: string,
  value: string | readonly string[],
): (Network | typeof LOCAL)[] {
  return listOf<unknown>(value).map((each) => {
    if (each === LOCAL) return LOCAL;
    if (typeof each !== "string") throw wrongType(name, "addresses as strings", each);
    const network = parseNetwork(each);
    if (network !== undefined) return network;
    const expected = `an address, a network such as "10.0.0.0/8", or "${LOCAL}"`;
    throw outOfRange(name, JSON.stringify(each), expected);
  });
}

function plainCheck(name: string, policy: PlainPolicy): PlainCheck {
  if (typeof policy === "function") return policy;
  const isMap = policy instanceof Map;
  // A list, or a set, has no passwords.
  if (typeof policy !== "object" || policy === null || (!isMap && Symbol.iterator in policy)) {
    throw wrongType(name, "names with their passwords, or a function", policy);
  }
  const passwords = new Map<string, Uint8Array>();
  for (const [username, password] of isMap ? policy : Object.entries(policy)) {
    if (typeof username !== "string" || typeof password !== "string") {
      throw withCode(new TypeError(`Cannot set ${name}: a password must be a string`), "EINVAL");
    }
    const octets = padded(password);
    if (octets === undefined || padded(username) === undefined) {
      throw outOfRange(
        name,
        "a longer name or password",
        `at most ${CREDENTIAL_LIMIT} octets each`,
      );
    }
    passwords.set(username, octets);
  }
  return ({ username, password }) => {
    const right = passwords.get(username);
    // It takes as long for a name that nobody has, and for a password of another length.
    const same = sameOctets(padded(password) ?? NO_PASSWORD, right ?? NO_PASSWORD);
    return same && right !== undefined;
  };
}

/** A password as it is compared: its length, then its octets, then zeros. Undefined when PLAIN cannot carry it. */
function padded(password: string): Uint8Array | undefined {
  const octets = utf8.encode(password);
  if (octets.length > CREDENTIAL_LIMIT) return undefined;
  const all = new Uint8Array(1 + CREDENTIAL_LIMIT);
  all[0] = octets.length;
  all.set(octets, 1);
  return all;
}

function curveCheck(name: string, policy: CurvePolicy): CurveCheck {
  if (policy === "any") return () => true;
  if (typeof policy === "function") return policy;
  if (typeof policy !== "object" || policy === null || !(Symbol.iterator in policy)) {
    throw wrongType(name, '"any", keys in a list or a set, or a function', policy);
  }
  const keys = new Set<string>();
  for (const key of policy) {
    const octets = parseCurveKey(key);
    if (octets === undefined) {
      throw outOfRange(name, "what is no key", "keys of 40 characters of Z85, or of 32 octets");
    }
    keys.add(encodeZ85(octets));
  }
  return (key) => keys.has(key);
}

function decoded(octets: Uint8Array): string | undefined {
  try {
    return text.decode(octets);
  } catch {
    return undefined;
  }
}
