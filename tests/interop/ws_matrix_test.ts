// Our own sockets over ws://: one of this test's runtime listens, one of each runtime connects; every legal pair of types with
// either of them listening, without security and with CURVE, and PLAIN for one.

import { after, before, describe } from "@std/testing/bdd";
import * as library from "../../mod.ts";
import type { Peer } from "../_util/peer.ts";
import { runtimeName } from "../_util/process.ts";
import { openerOf } from "../_util/ws_ours.ts";
import { testMechanisms } from "../_util/ws_meetings.ts";
import { driveHere, RUNTIMES, startOurs } from "../_util/ws_programs.ts";

for (const runtime of RUNTIMES) {
  describe(`${runtime} connects to ${runtimeName} over ws`, () => {
    let here: Peer;
    let there: Peer;
    before(() => {
      here = driveHere(openerOf(library));
      there = startOurs(runtime);
    });
    after(async () => {
      await here.stop();
      await there.stop();
    });
    testMechanisms(() => [here, there]);
  });
}
