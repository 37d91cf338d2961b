// Sockets of a page in Chromium, which connect over ws:// to those of jszmq: every legal pair of types, without security.

import { assertEquals } from "@std/assert";
import { after, before, it } from "@std/testing/bdd";
import { describeInChromium } from "../_util/chromium.ts";
import type { Peer } from "../_util/peer.ts";
import { startPage } from "../_util/ws_page.ts";
import { DIRECTED_PAIRS, meet } from "../_util/ws_pairs.ts";
import { startJszmq } from "../_util/ws_programs.ts";

describeInChromium("a page of Chromium connects to jszmq over ws", () => {
  let jszmq: Peer;
  let page: Peer;
  before(async () => {
    jszmq = startJszmq();
    page = await startPage();
  });
  after(async () => {
    await Promise.all([jszmq, page].map((peer) => peer.stop()));
  });

  for (const pair of DIRECTED_PAIRS) {
    it(`${pair.connecter} to ${pair.binder}`, async () => {
      assertEquals(await meet(pair, [jszmq, page], [{}, {}]), [undefined, "ZWS2.0"]);
    });
  }
});
