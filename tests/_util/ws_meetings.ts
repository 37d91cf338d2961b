// What our sockets are asked over ws://, wherever the one that connects is: every legal pair of types, by every mechanism.

import { assertEquals } from "@std/assert";
import { after, before, describe, it } from "@std/testing/bdd";
import { Authenticator } from "../../mod.ts";
import type { Peer, PeerOptions } from "./peer.ts";
import { ROLES } from "./security_options.ts";
import { DIRECTED_PAIRS, type DirectedPair, meet } from "./ws_pairs.ts";

const NO_SECURITY = { server: {}, client: {} } as const;
const PLAIN = { admin: "secret" } as const;
const PLAIN_PAIR: Pick<DirectedPair, "binder" | "connecter"> = {
  binder: "Router",
  connecter: "Dealer",
};

/**
 * Asks it of the sockets that listen, of this process, and those that connect; both have been started when a test runs.
 * `extra` options are for those that listen.
 */
export function testMechanisms(
  peers: () => readonly [listening: Peer, connecting: Peer],
  extra: PeerOptions = {},
): void {
  const test = (pair: DirectedPair, { server, client }: typeof ROLES.CURVE): void =>
    it(`${pair.connecter} to ${pair.binder}`, async () => {
      assertEquals(await meet(pair, peers(), [{ ...server, ...extra }, client]), [
        "ZWS2.0",
        "ZWS2.0",
      ]);
    });

  describe("without security", () => {
    for (const pair of DIRECTED_PAIRS) test(pair, NO_SECURITY);
  });

  describe("with CURVE", () => {
    for (const pair of DIRECTED_PAIRS) test(pair, ROLES.CURVE);
  });

  describe("with PLAIN", () => {
    let authenticator: Authenticator;
    before(() => {
      authenticator = new Authenticator({ plain: PLAIN });
    });
    after(() => authenticator.close());
    for (const pair of DIRECTED_PAIRS) {
      if (pair.binder === PLAIN_PAIR.binder && pair.connecter === PLAIN_PAIR.connecter) {
        test(pair, ROLES.PLAIN);
      }
    }
  });
}
