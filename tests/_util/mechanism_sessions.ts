// A session for each side of each mechanism, for what holds for all of them.

import { PlainClient, PlainServer } from "../../src/security/plain.ts";
import type { Property } from "../../src/security/mechanism.ts";
import { NullMechanism } from "../../src/security/null.ts";
import { Door } from "../../src/security/zap.ts";
import { Session } from "../../src/session/session.ts";
import { textOf, utf8 } from "./bytes.ts";
import { clientSession, serverSession } from "./curve_session.ts";
import { concat } from "./octets.ts";
import { newSession } from "./session_pair.ts";

/** A side of a mechanism; NULL has no sides, and may have its peers authenticated. */
export type Side =
  | "NULL"
  | "NULL with a domain"
  | "PLAIN client"
  | "PLAIN server"
  | "CURVE client"
  | "CURVE server";

/** All of them. */
export const SIDES: readonly Side[] = [
  "NULL",
  "NULL with a domain",
  "PLAIN client",
  "PLAIN server",
  "CURVE client",
  "CURVE server",
];

/** The name of a side's mechanism. */
export function mechanismOf(side: Side): string {
  return side.slice(0, side.indexOf(" ") < 0 ? undefined : side.indexOf(" "));
}

/** A session of this side: a DEALER where it is a client, else a ROUTER. */
export function sessionOf(side: Side, type: "DEALER" | "ROUTER" = typeOf(side)): Session {
  const properties: Property[] = [["Socket-Type", utf8(type)], ["Identity", utf8("")]];
  switch (side) {
    case "NULL":
      return newSession(type);
    case "NULL with a domain":
      return new Session(type, new NullMechanism(properties, guardedDoor()));
    case "PLAIN client":
      return new Session(type, new PlainClient(properties, utf8("admin"), utf8("secret")));
    case "PLAIN server":
      return new Session(type, new PlainServer(properties, guardedDoor()));
    case "CURVE client":
      return clientSession({ type });
    case "CURVE server":
      return serverSession({ type });
  }
}

function typeOf(side: Side): "DEALER" | "ROUTER" {
  return side.endsWith("client") ? "DEALER" : "ROUTER";
}

/** A door with a handler behind it, which lets everybody in, a little later. */
function guardedDoor(): Door {
  return new Door({ domain: "test", enforced: true }, "127.0.0.1", (request) => ({
    reply: Promise.resolve(["", "1.0", textOf(request[2]), "200", "", "", ""].map(utf8)),
    cancel() {},
  }));
}

/** Lets two sessions talk until neither has anything to say; what each said. */
export async function talk(a: Session, b: Session): Promise<[Uint8Array, Uint8Array]> {
  const sessions = [a, b] as const;
  const said: [Uint8Array, Uint8Array] = [utf8(""), utf8("")];
  let quiet = 0;
  for (let i = 0; quiet < 2; i = 1 - i) {
    const octets = concat(...sessions[i].takeOutput());
    quiet = octets.length === 0 ? quiet + 1 : 0;
    said[i] = concat(said[i], octets);
    await feed(sessions[1 - i], octets);
  }
  return said;
}

/** Gives octets to a session, waiting where it has to; how many it took. */
export async function feed(session: Session, octets: Uint8Array): Promise<number> {
  let taken = 0;
  for (let count = 1; count > 0 && taken < octets.length;) {
    await session.waiting;
    count = session.receive(octets.subarray(taken));
    taken += count;
  }
  await session.waiting;
  return taken;
}
