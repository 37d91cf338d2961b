// Keys, passwords and the replies of a ZAP handler that the tests of authentication have in common. The options have the
// same names in zeromq.js and here.

import type { PeerOptions, ZapRule } from "./peer.ts";
import { utf8 } from "./bytes.ts";
import { concat } from "./octets.ts";

/** A pair of CURVE keys. */
export interface Keys {
  readonly publicKey: string;
  readonly secretKey: string;
}

/** The client's key pair in libzmq's zmq_curve(7). */
export const CLIENT_KEYS: Keys = {
  publicKey: "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID",
  secretKey: "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs",
};

/** The server's key pair in libzmq's zmq_curve(7). */
export const SERVER_KEYS: Keys = {
  publicKey: "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7",
  secretKey: "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6",
};

export type MechanismName = "PLAIN" | "CURVE";

/** Options of the two roles, which are independent of who binds. */
export interface Roles {
  readonly server: PeerOptions;
  readonly client: PeerOptions;
}

export const ROLES: Readonly<Record<MechanismName, Roles>> = {
  PLAIN: {
    server: { plainServer: true },
    client: { plainUsername: "admin", plainPassword: "secret" },
  },
  CURVE: {
    server: { curveServer: true, curveSecretKey: SERVER_KEYS.secretKey },
    client: {
      curvePublicKey: CLIENT_KEYS.publicKey,
      curveSecretKey: CLIENT_KEYS.secretKey,
      curveServerKey: SERVER_KEYS.publicKey,
    },
  },
};

/** What a handler's reply says; a valid one lets the peer in. */
export interface ZapReply {
  readonly status?: string;
  readonly text?: string;
  readonly userId?: string;
  readonly metadata?: Uint8Array;
  readonly when?: ZapRule["when"];
}

/** A rule with a well-formed reply. */
export function zapRule(
  { status = "200", text = "OK", userId = "", metadata = new Uint8Array(0), when }: ZapReply = {},
): ZapRule {
  return { ...(when && { when }), reply: ["1.0", "id", status, text, userId, metadata] };
}

/** A property in the encoding of ZMTP and ZAP. */
export function property(name: string, value: string): Uint8Array {
  const size = new Uint8Array(4);
  const octets = utf8(value);
  new DataView(size.buffer).setUint32(0, octets.length);
  return concat(Uint8Array.of(name.length), utf8(name), size, octets);
}
