// wss:// between Deno, Bun and Node: three implementations of TLS, each on either side.

import { assertEquals } from "@std/assert";
import { after, describe, it } from "@std/testing/bdd";
import { AUTHORITY, SERVER } from "../_util/certificates.ts";
import type { Peer, PeerOptions } from "../_util/peer.ts";
import { DIRECTED_PAIRS, meet } from "../_util/ws_pairs.ts";
import { openerOf } from "../_util/ws_ours.ts";
import { driveHere, RUNTIMES, startOurs } from "../_util/ws_programs.ts";
import * as library from "../../mod.ts";

/** This runtime is one of each pair: the suite runs on all of them. */
const PAIRS = DIRECTED_PAIRS.filter(({ binder, connecter }) =>
  ["Push Pull", "Router Dealer", "Publisher Subscriber"].includes(`${binder} ${connecter}`)
);
const SERVES = {
  wssKeyPem: SERVER.key,
  wssCertPem: SERVER.certificate,
} as unknown as PeerOptions;
const TRUSTS = { wssTrustPem: AUTHORITY, wssHostname: "peer.test" } as unknown as PeerOptions;

describe("wss between runtimes", () => {
  const here = driveHere(openerOf(library));
  const others = new Map(RUNTIMES.map((name) => [name, startOurs(name)] as const));
  after(async () => {
    await Promise.all([here, ...others.values()].map((peer) => peer.stop()));
  });

  for (const name of RUNTIMES) {
    for (const pair of PAIRS) {
      const what = `${pair.binder} and ${pair.connecter}`;
      it(`${what}, with ${name} connecting`, async () => {
        const there = others.get(name)!;
        assertEquals(await join(pair, [here, there]), ["ZWS2.0", "ZWS2.0"]);
      });
      it(`${what}, with ${name} listening`, async () => {
        const there = others.get(name)!;
        assertEquals(await join(pair, [there, here]), ["ZWS2.0", "ZWS2.0"]);
      });
    }
  }
});

function join(
  pair: (typeof PAIRS)[number],
  peers: readonly [Peer, Peer],
): Promise<readonly (string | undefined)[]> {
  return meet(pair, peers, [SERVES, TRUSTS], undefined, "wss://127.0.0.1:*");
}
