// The three mechanisms with all that their two sides need, for tests that hold for each of them.

import { encodeZ85, type Socket } from "../../mod.ts";
import { fromHex } from "./bytes.ts";

/** The names of the mechanisms, as a ZAP request has them. */
export type MechanismName = "NULL" | "PLAIN" | "CURVE";

/** All of them. */
export const MECHANISM_NAMES: readonly MechanismName[] = ["NULL", "PLAIN", "CURVE"];

/** A pair of keys as octets and as text. */
export interface TestKeys {
  readonly publicOctets: Uint8Array;
  readonly secretOctets: Uint8Array;
  readonly publicKey: string;
  readonly secretKey: string;
}

function testKeys(publicHex: string, secretHex: string): TestKeys {
  const publicOctets = fromHex(publicHex);
  const secretOctets = fromHex(secretHex);
  return {
    publicOctets,
    secretOctets,
    publicKey: encodeZ85(publicOctets),
    secretKey: encodeZ85(secretOctets),
  };
}

/** The keys that libzmq's manual prints for tests: everybody knows them. */
export const CLIENT_KEYS: TestKeys = testKeys(
  "bb88471d65e2659b30c55a5321cebb5aab2b70a398645c26dca2b2fcb43fc518",
  "7bb864b489afa3671fbe69101f94b38972f24816dfb01b51656b3fec8dfd0888",
);
export const SERVER_KEYS: TestKeys = testKeys(
  "54fcba24e93249969316fb617c872bb0c1d1ff14800427c594cbfacf1bc2d652",
  "8e0bdd697628b91d8f245587ee95c5b04d48963f79259877b49cd9063aead3b7",
);

/** Who the client of PLAIN says it is. */
export const USERNAME = "admin";
export const PASSWORD = "secret";

/** Options of the security of any socket. */
export type SecurityOptions = Partial<
  Pick<
    Socket,
    | "plainServer"
    | "plainUsername"
    | "plainPassword"
    | "curveServer"
    | "curvePublicKey"
    | "curveSecretKey"
    | "curveServerKey"
    | "zapDomain"
    | "zapEnforceDomain"
  >
>;

/** The options that put a socket on one side of a mechanism; NULL has no sides. */
export interface Sides {
  readonly server: SecurityOptions;
  readonly client: SecurityOptions;
}

/** What makes a server and a client of each mechanism, without a domain. */
export const SIDES: Readonly<Record<MechanismName, Sides>> = {
  NULL: { server: {}, client: {} },
  PLAIN: {
    server: { plainServer: true },
    client: { plainUsername: USERNAME, plainPassword: PASSWORD },
  },
  CURVE: {
    server: { curveServer: true, curveSecretKey: SERVER_KEYS.secretKey },
    client: {
      curveServerKey: SERVER_KEYS.publicKey,
      curvePublicKey: CLIENT_KEYS.publicKey,
      curveSecretKey: CLIENT_KEYS.secretKey,
    },
  },
};

/** The domain that servers have in tests where each mechanism is to ask. */
export const DOMAIN = "TEST";
