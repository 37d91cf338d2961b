// Sockets of a page in Chromium, which connect over ws:// to sockets of this test's runtime: every legal pair of types, without
// security, with CURVE, and with PLAIN.

import { after, before, describe } from "@std/testing/bdd";
import * as library from "../../mod.ts";
import type { Peer } from "../_util/peer.ts";
import { runtimeName } from "../_util/process.ts";
import { openerOf } from "../_util/ws_ours.ts";
import { testMechanisms } from "../_util/ws_meetings.ts";
import { describeInChromium } from "../_util/chromium.ts";
import { startPage } from "../_util/ws_page.ts";
import { driveHere } from "../_util/ws_programs.ts";

describeInChromium("a page of Chromium", () => {
  let here: Peer;
  let page: Peer;
  before(async () => {
    here = driveHere(openerOf(library));
    page = await startPage();
  });
  after(async () => {
    await Promise.all([here, page].map((peer) => peer.stop()));
  });

  describe(`connects to ${runtimeName} over ws`, () => {
    // The page is of another origin than what it connects to.
    testMechanisms(() => [here, page], { origins: "*" });
  });
});
