// Sessions with CURVE in the middle of their handshake, the tests' own client or server at the other end.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { ProtocolError } from "../../src/errors.ts";
import type { Session } from "../../src/session/session.ts";
import { toHex } from "./bytes.ts";
import { commandFrame, keyPair } from "./curve_commands.ts";
import { type ClientSetup, CurveClient, CurveServer } from "./curve_oracle.ts";
import { clientSession, deliver, greet, greeted, serverSession } from "./curve_session.ts";
import { KEYS } from "./curve_vectors.ts";

/** A frame without its header. */
export const bodyOf: (frame: Uint8Array) => Uint8Array = (frame) =>
  frame.subarray(frame[0] & 2 ? 9 : 2);

/** A server with fresh transient keys, and a client of the tests that has its WELCOME. */
export async function welcomed(
  setup: Partial<ClientSetup> = {},
): Promise<[Session, CurveClient]> {
  const session = await greeted(serverSession({ entropy: [] }));
  const client = new CurveClient({ serverKey: KEYS.server, ...setup });
  client.takeWelcome(bodyOf(await deliver(session, commandFrame(client.hello()))));
  return [session, client];
}

/** A client with fresh transient keys, and a server of the tests that has its INITIATE. */
export async function initiated(): Promise<[Session, CurveServer]> {
  const [session, server] = await helloed();
  server.takeInitiate(bodyOf(await deliver(session, commandFrame(server.welcome()))));
  return [session, server];
}

/** The same before WELCOME. */
export async function helloed(): Promise<[Session, CurveServer]> {
  const session = clientSession({ entropy: [] });
  const server = new CurveServer({ keys: keyPair(KEYS.serverSecret) });
  server.takeHello(bodyOf((await greet(session))[1]));
  return [session, server];
}

/** Checks that the command breaks the session, whole and octet by octet, and is not answered. */
export async function assertBroken(
  session: Session,
  frame: Uint8Array,
  code: string,
  says: RegExp = /./,
  piece?: number,
): Promise<void> {
  const outcome = await deliver(session, frame, piece).then(toHex, (error) => error);
  assert(outcome instanceof ProtocolError, `answered with ${outcome}`);
  assertEquals([outcome.code, session.state], [code, "failed"], outcome.message);
  assertMatch(outcome.message, says);
  assertEquals([session.takeOutput(), session.peer], [[], undefined]);
  session.end();
}
