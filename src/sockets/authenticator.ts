// A ready-made ZAP handler (RFC 27).

import { CURVE_KEY_SIZE } from "../curve_key.ts";
import { withCode } from "../errors.ts";
import type { Frame } from "../message.ts";
import { outOfRange, wrongType } from "../option_values.ts";
import { ZAP_NAME } from "../security/zap.ts";
import { encodeMetadata } from "../wire/metadata.ts";
import {
  Access,
  type AccessPolicy,
  type AuthenticationRequest,
  type AuthenticatorPolicy,
  type Verdict,
} from "./authentication_policy.ts";
import type { Context } from "./context.ts";
import { Router } from "./dealer_router.ts";
import { engineOf } from "./inside.ts";

/** What an Authenticator is made with. */
export interface AuthenticatorOptions extends AuthenticatorPolicy {
  /**
   * The context whose sockets ask it.
   * @default {context}
   */
  readonly context?: Context;
}

/** What an Authenticator has decided. */
export interface AuthenticatorStats {
  /** Peers that were let in: status 200. */
  readonly accepted: number;
  /** Peers that were sent away: status 400. */
  readonly denied: number;
  /** Requests that could not be decided, because of an error in a function of the policy, or a malformed request: 500. */
  readonly failed: number;
}

/** Credentials that each mechanism has. */
const CREDENTIALS = { NULL: 0, PLAIN: 2, CURVE: 1 } as const;
/** Before the credentials: version, id, domain, address, routing id, mechanism. */
const PARTS = 6;
const VERSION = "1.0";
const NAME_PATTERN = /^[A-Za-z0-9\-_.+]{1,255}$/;
const ID_LIMIT = 255;

const NOTHING = new Uint8Array(0);
const utf8 = new TextEncoder();

/**
 * Decides who may talk to the sockets of a context: the handler that all its servers ask before they let a peer in, by ZAP
 * (RFC 27). PLAIN servers ask it always, CURVE servers when it is there, sockets without security when they have a
 * `zapDomain`. What it says of a peer `metadataOf` tells with each message. It does not keep the process alive.
 *
 * @example Passwords, and what is known of who asks
 * ```ts
 * import { Authenticator, metadataOf, Reply, Request } from "@wasmq/wasmq";
 *
 * const authenticator = new Authenticator({ allow: "127.0.0.0/8", plain: { admin: "secret" } });
 * const reply = new Reply({ plainServer: true, attachMetadata: true });
 * await reply.bind("tcp://127.0.0.1:*");
 *
 * const request = new Request({ plainUsername: "admin", plainPassword: "secret" });
 * request.connect(reply.lastEndpoint!);
 * await request.send("hello");
 * console.log(metadataOf(await reply.receive())!.userId); // "admin"
 *
 * await Promise.all([request.close(), reply.close(), authenticator.close()]);
 * ```
 */
export class Authenticator {
  readonly #socket: Router;
  #access!: Access;
  #domains!: ReadonlyMap<string, Access>;
  #accepted = 0;
  #denied = 0;
  #failed = 0;

  /**
   * Takes its place at once. Without a policy it lets nobody in that has to prove who he is.
   *
   * @throws {EndpointError} `EADDRINUSE` when the context has a handler already.
   * @throws {TypeError} `EINVAL` for a policy with values of the wrong type.
   * @throws {RangeError} `EINVAL` for one with addresses or keys that are none.
   */
  constructor(options: AuthenticatorOptions = {}) {
    if (typeof options !== "object" || options === null) {
      throw withCode(new TypeError("Options must be an object"), "EINVAL");
    }
    const { context, ...policy } = options;
    this.configure(policy);
    this.#socket = new Router({
      ...(context === undefined ? {} : { context }),
      linger: 0,
      sendHighWaterMark: 0,
      receiveHighWaterMark: 0,
    });
    try {
      this.#socket.bindSync(`inproc://${ZAP_NAME}`);
    } catch (error) {
      void this.#socket.close();
      throw error;
    }
    const engine = engineOf(this.#socket);
    engine.unlimited = true;
    // Not by `receive`, which would keep the process alive.
    engine.watch(this.#serve);
  }

  /**
   * Another policy from now on, in place of the whole last one. Peers that are in stay in. When it is refused the last one
   * goes on.
   *
   * @throws {TypeError} As the constructor.
   * @throws {RangeError} As the constructor.
   */
  configure(policy: AuthenticatorPolicy): void {
    const { domains, ...rest } = policy;
    const known = ["allow", "deny", "plain", "curve"];
    checkNames("", rest, known);
    const access = new Access(rest, "");
    const others = new Map(
      partsOf(domains).map(([domain, part]) => {
        const size = utf8.encode(domain).length;
        if (size > ID_LIMIT) {
          throw outOfRange("domains", `a name of ${size} octets`, `at most ${ID_LIMIT}`);
        }
        const prefix = `domains.${domain}.`;
        checkNames(prefix, part, known);
        return [domain, new Access(part, prefix)];
      }),
    );
    this.#access = access;
    this.#domains = others;
  }

  readonly #serve = (): void => {
    const engine = engineOf(this.#socket);
    while (!engine.closed) {
      const message = engine.tryReceive();
      if (message === undefined) return;
      void this.#answer(message);
    }
  };

  /** The routing ids of all hops come first, up to an empty frame; where there is none, nobody could be answered. */
  async #answer(message: readonly Frame[]): Promise<void> {
    const start = 1 + message.findIndex((frame) => frame.length === 0);
    if (start === 0) return void this.#failed++;
    const reply = await this.#reply(message.slice(start));
    if (this.#socket.closed) return;
    this.#socket.trySend([...message.slice(0, start), VERSION, ...reply]);
  }

  /** The id, status, text, user id and metadata of the reply. */
  async #reply(message: readonly Frame[]): Promise<(string | Uint8Array)[]> {
    const id = message[1] ?? NOTHING;
    const request = readRequest(message);
    if (request === undefined) {
      this.#failed++;
      return [id, "500", "Malformed request", "", NOTHING];
    }
    try {
      const access = this.#domains.get(request.domain) ?? this.#access;
      const verdict = await access.decide(request, message.slice(PARTS));
      if (verdict === false) {
        this.#denied++;
        return [id, "400", "No access", "", NOTHING];
      }
      const admitted = describe(verdict);
      this.#accepted++;
      return [id, "200", "OK", ...admitted];
    } catch {
      // What a function of the user's threw is not for a peer to read.
      this.#failed++;
      return [id, "500", "Internal error", "", NOTHING];
    }
  }

  /** What has been decided so far. */
  stats(): AuthenticatorStats {
    return { accepted: this.#accepted, denied: this.#denied, failed: this.#failed };
  }

  /** True from the call of `close` on. */
  get closed(): boolean {
    return this.#socket.closed;
  }

  /** Leaves its place, as if there had never been a handler. Peers that are in stay in. */
  close(): Promise<void> {
    return this.#socket.close();
  }

  /** Closes it, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** The policies of domains by their names. */
function partsOf(domains: AuthenticatorPolicy["domains"]): [string, AccessPolicy][] {
  if (domains === undefined) return [];
  if (typeof domains === "object" && domains !== null) {
    return domains instanceof Map ? [...domains] : Object.entries(domains);
  }
  throw wrongType("domains", "an object of names with their policies", domains);
}

function checkNames(prefix: string, policy: unknown, known: readonly string[]): void {
  if (typeof policy !== "object" || policy === null) {
    throw withCode(new TypeError(`The policy ${prefix} must be an object`), "EINVAL");
  }
  for (const name of Object.keys(policy)) {
    if (known.includes(name)) continue;
    throw withCode(
      new TypeError(`Unknown option ${prefix}${name}: a policy has ${known.join(", ")}`),
      "EINVAL",
    );
  }
}

/** The request; undefined when it is malformed. */
function readRequest(message: readonly Frame[]): AuthenticationRequest | undefined {
  const [version, , domain, address, , mechanism] = message;
  if (message.length < PARTS || String(version) !== VERSION) return undefined;
  const name = String(mechanism);
  if (name !== "NULL" && name !== "PLAIN" && name !== "CURVE") return undefined;
  const credentials = message.slice(PARTS);
  if (credentials.length !== CREDENTIALS[name]) return undefined;
  if (name === "CURVE" && credentials[0].length !== CURVE_KEY_SIZE) return undefined;
  return { domain: String(domain), address: String(address), mechanism: name };
}

/** The user id and the metadata of a peer that is let in. */
function describe(verdict: Exclude<Verdict, false>): [string, Uint8Array] {
  const { userId = "", metadata = {} } = verdict === true ? {} : verdict;
  const properties = Object.entries(metadata ?? {});
  const texts: unknown[] = [userId, ...properties.map(([, value]) => value)];
  const told = typeof metadata === "object" && metadata !== null &&
    texts.every((value) => typeof value === "string") &&
    utf8.encode(userId).length <= ID_LIMIT &&
    properties.every(([name]) => NAME_PATTERN.test(name));
  if (!told) throw new RangeError("The verdict has a user id or a property that ZAP cannot tell");
  return [userId, encodeMetadata(properties.map(([name, value]) => [name, utf8.encode(value)]))];
}
