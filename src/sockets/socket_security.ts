// Which security mechanism a socket's options ask for, and the handshakes of its connections.

import type { CoreMemory } from "../core/memory.ts";
import { parseCurveKey } from "../curve_key.ts";
import { withCode } from "../errors.ts";
import type { Security } from "../link/host.ts";
import { type Introduced, propertiesOf } from "../link/identity.ts";
import type { OptionValues } from "../options.ts";
import { CurveClient } from "../security/curve_client.ts";
import { type CurveIdentity, entropy } from "../security/curve_boxes.ts";
import { CurveServer } from "../security/curve_server.ts";
import { curvePublicKeyOf } from "../security/keys.ts";
import { NullMechanism } from "../security/null.ts";
import { PlainClient, PlainServer } from "../security/plain.ts";
import { KeyPair } from "../security/x25519.ts";
import { type Ask, Door, type DoorRules } from "../security/zap.ts";
import type { CurveKeyLike, SecurityOptions } from "../security_options.ts";

type SecurityOption = keyof SecurityOptions;

const PLAIN: readonly SecurityOption[] = ["plainServer", "plainUsername", "plainPassword"];
const CURVE: readonly SecurityOption[] = [
  "curveServer",
  "curveServerKey",
  "curveSecretKey",
  "curvePublicKey",
];

const utf8 = new TextEncoder();

/** The options that are set. */
function given(options: OptionValues, names: readonly SecurityOption[]): SecurityOption[] {
  return names.filter((name) => options[name] !== null && options[name] !== false);
}

/** The mechanism that the options ask for. */
export function mechanismOf(options: OptionValues): null | "plain" | "curve" {
  if (given(options, CURVE).length > 0) return "curve";
  return given(options, PLAIN).length > 0 ? "plain" : null;
}

export class SocketSecurity {
  readonly #memory: CoreMemory;
  readonly #ask: Ask;
  /** The identity that was needed last, and its keys. */
  #identity: CurveIdentity | undefined;
  #secretKey: CurveKeyLike = "";
  #publicKey = "";

  constructor(memory: CoreMemory, ask: Ask) {
    this.#memory = memory;
    this.#ask = ask;
  }

  /**
   * The mechanism for the connections of an endpoint.
   *
   * @throws {TypeError} `EINVAL` when the options contradict each other.
   */
  of(socket: Introduced): Security {
    const { options, type } = socket;
    const rules: DoorRules = {
      domain: options.zapDomain ?? "",
      enforced: options.zapEnforceDomain,
    };
    const door = (host: string) => new Door(rules, host, this.#ask);
    // Its peers speak no ZMTP.
    const mechanism = type === "STREAM" ? null : mechanismOf(options);
    if (mechanism === null) return (host) => new NullMechanism(propertiesOf(socket), door(host));
    check(options);
    if (mechanism === "plain") {
      if (options.plainServer) return (host) => new PlainServer(propertiesOf(socket), door(host));
      const username = utf8.encode(options.plainUsername ?? "");
      const password = utf8.encode(options.plainPassword ?? "");
      return () => new PlainClient(propertiesOf(socket), username, password);
    }
    const identity = this.#identityOf(options);
    const serverKey = parseCurveKey(options.curveServerKey);
    return serverKey === undefined
      ? (host) => new CurveServer(identity, propertiesOf(socket), door(host))
      : () => new CurveClient(identity, serverKey, propertiesOf(socket));
  }

  #identityOf({ curveSecretKey, curvePublicKey }: OptionValues): CurveIdentity {
    if (this.#secretKey !== curveSecretKey) {
      this.#secretKey = curveSecretKey!;
      this.#publicKey = curvePublicKeyOf(curveSecretKey!);
      this.#identity = undefined;
    }
    if (curvePublicKey !== null && curvePublicKey !== this.#publicKey) {
      throw contradiction(
        "curvePublicKey does not belong to curveSecretKey: leave it out, or see curvePublicKeyOf",
      );
    }
    if (this.#identity !== undefined) return this.#identity;
    const secret = parseCurveKey(this.#secretKey)!;
    const pair = KeyPair.of(secret, parseCurveKey(this.#publicKey));
    // Whoever needs it hears of a failure.
    pair.catch(() => {}).finally(() => secret.fill(0));
    return this.#identity = { core: this.#memory.outboxes, entropy, pair };
  }
}

/** Refuses options that nobody can mean. */
function check(options: OptionValues): void {
  const plain = given(options, PLAIN);
  const curve = given(options, CURVE);
  if (plain.length > 0 && curve.length > 0) {
    throw contradiction(`${plain[0]} asks for PLAIN and ${curve[0]} for CURVE: set one of them`);
  }
  if (options.plainServer && plain.length > 1) {
    throw contradiction(`plainServer and ${plain[1]} are set: a socket is server or client`);
  }
  if (curve.length === 0) return;
  if (options.curveServer && options.curveServerKey !== null) {
    throw contradiction("curveServer and curveServerKey are set: a socket is server or client");
  }
  if (options.curveSecretKey === null) {
    throw contradiction(`${curve[0]} needs curveSecretKey: make one with curveKeyPair()`);
  }
  if (options.curveServer || options.curveServerKey !== null) return;
  throw contradiction(
    "curveSecretKey is set, but neither curveServer (to be a server of CURVE) nor curveServerKey (to be a client)",
  );
}

function contradiction(what: string): TypeError {
  return withCode(new TypeError(`Cannot secure the socket: ${what}`), "EINVAL");
}
