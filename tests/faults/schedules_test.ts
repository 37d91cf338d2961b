// Random schedules of faults over a network in memory: connections that break after any octet, calls that fail, short
// writes and reads, and delays. Seeds are printed by what fails; schedules.ts runs any number of them.

import { assertEquals, assertGreater } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import { Context } from "../../mod.ts";
import { Accounts } from "../_util/faulty_accounts.ts";
import { FaultyNetwork } from "../_util/faulty_network.ts";
import { PATTERNS } from "../_util/faulty_patterns.ts";
import { FaultyStage } from "../_util/faulty_stage.ts";

/** Of each kind, a few at a time. */
const RUNS = 3;
const ABREAST = 4;
/** Messages each way. */
const COUNT = 12;

const network = new FaultyNetwork(0);
const context = new Context({ runtime: network, maxSockets: 65_535 });
const accounts = new Accounts(context);

/** What each conversation has to come to, whatever happens to its connections. */
const PROMISES: Readonly<Record<string, string>> = {
  "PUSH and PULL": "lose nothing, get nothing twice, and keep the order of each pipe",
  "DEALER to ROUTER": "lose nothing, get nothing twice, and keep the order of each pipe",
  "ROUTER and DEALER, mandatory": "lose nothing either way while the ROUTER connects",
  "PAIR": "lose nothing and get nothing twice, either way",
  "REQ and REP": "answer each request once while the REP connects",
  "REQ, relaxed, and REP": "never get stuck, and no reply passes for another's",
  "XPUB and SUB": "have their topics again after each break, and get nothing else or twice",
  "closing": "settles whatever waits",
};

describe("over connections that break", () => {
  for (const [name, promise] of Object.entries(PROMISES)) {
    it(`${name} ${promise}`, async () => {
      const seeds = fc.array(fc.nat(), { minLength: ABREAST, maxLength: ABREAST });
      const property = fc.asyncProperty(seeds, async (list) => {
        await Promise.all(list.map(async (seed) => {
          const stage = new FaultyStage(network, context, seed, COUNT);
          try {
            await stage.run(PATTERNS[name]);
          } catch (cause) {
            throw new Error(`${name}, seed ${seed}`, { cause });
          }
        }));
      });
      await fc.assert(property, { numRuns: RUNS, endOnFailure: true });
    });
  }

  it("no memory of the core is kept when all is closed", () => {
    assertGreater(accounts.opened, 100);
    assertEquals([accounts.outboxes, accounts.regions], [0, 0]);
  });
});
