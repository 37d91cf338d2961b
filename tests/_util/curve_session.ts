// Sessions with CURVE whose randomness is given, so that what they say can be foretold to the last octet.

import { CoreMemory } from "../../src/core/memory.ts";
import { CurveClient } from "../../src/security/curve_client.ts";
import { CurveServer } from "../../src/security/curve_server.ts";
import type { Property } from "../../src/security/mechanism.ts";
import { KeyPair } from "../../src/security/x25519.ts";
import { Door } from "../../src/security/zap.ts";
import { Session } from "../../src/session/session.ts";
import { GREETING_SIZE } from "../../src/wire/greeting.ts";
import type { SocketType } from "../../src/wire/socket_type.ts";
import { utf8 } from "./bytes.ts";
import { curveGreeting, random } from "./curve_commands.ts";
import { KEYS } from "./curve_vectors.ts";
import { concat } from "./octets.ts";

const { outboxes: core } = new CoreMemory();
const SERVER_PAIR = KeyPair.of(KEYS.serverSecret);
const CLIENT_PAIR = KeyPair.of(KEYS.clientSecret);

/** What the vectors' server takes from the source of randomness, in this order. */
export const SERVER_ENTROPY: readonly Uint8Array[] = [
  KEYS.serverTransientSecret,
  KEYS.cookie,
  KEYS.welcomeNonce,
  KEYS.cookieNonce,
];

/** The same of the vectors' client. */
export const CLIENT_ENTROPY: readonly Uint8Array[] = [
  KEYS.clientTransientSecret,
  KEYS.vouchNonce,
];

/** How a session is made. */
export interface CurveSessionOptions {
  readonly type?: SocketType;
  /** Octets to use in place of random ones. */
  readonly entropy?: readonly Uint8Array[];
  /** What a client takes for the server's key. */
  readonly serverKey?: Uint8Array;
}

/** A session of the server of the vectors, with its transient keys or fresh ones. */
export function serverSession(
  { type = "ROUTER", entropy = SERVER_ENTROPY }: CurveSessionOptions = {},
): Session {
  const identity = { core, entropy: from(entropy), pair: SERVER_PAIR };
  const door = new Door({ domain: "", enforced: true }, "", () => {
    throw new Error("Nobody is to be asked");
  });
  return new Session(type, new CurveServer(identity, propertiesOf(type), door));
}

/** A session of the client of the vectors. */
export function clientSession(
  { type = "DEALER", entropy = CLIENT_ENTROPY, serverKey = KEYS.server }: CurveSessionOptions = {},
): Session {
  const identity = { core, entropy: from(entropy), pair: CLIENT_PAIR };
  return new Session(type, new CurveClient(identity, serverKey, propertiesOf(type)));
}

function propertiesOf(type: SocketType): Property[] {
  const properties: Property[] = [["Socket-Type", utf8(type)]];
  if (["REQ", "DEALER", "ROUTER"].includes(type)) properties.push(["Identity", utf8("")]);
  return properties;
}

function from(entropy: readonly Uint8Array[]): (size: number) => Uint8Array {
  const left = [...entropy];
  return (size) => {
    const next = left.shift() ?? random(size);
    if (next.length !== size) throw new Error(`${size} octets are wanted, ${next.length} given`);
    return next.slice();
  };
}

/** Gives octets to a session, `piece` at a time, and waits for it where it must; what it has to say to them. */
export async function deliver(
  session: Session,
  octets: Uint8Array,
  piece: number = Infinity,
): Promise<Uint8Array> {
  let at = 0;
  while (at < octets.length && (session.state === "greeting" || session.state === "handshake")) {
    at += session.receive(octets.subarray(at, at + piece));
    await session.waiting;
  }
  return concat(...session.takeOutput());
}

/** What a session says to a greeting: its own, and what follows that. */
export async function greet(
  session: Session,
  greeting: Uint8Array = curveGreeting(),
  piece?: number,
): Promise<[own: Uint8Array, then: Uint8Array]> {
  const begun = session.takeOutput();
  const said = concat(...begun, await deliver(session, greeting, piece));
  return [said.subarray(0, GREETING_SIZE), said.subarray(GREETING_SIZE)];
}

/** A session past the greeting; a client's HELLO is out of the way. */
export async function greeted(session: Session, minor = 1): Promise<Session> {
  await greet(session, curveGreeting({ minor }));
  return session;
}
