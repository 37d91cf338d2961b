// A connection that breaks at any octet: nothing that was said is lost, and nothing is heard twice.

import { describe, it } from "@std/testing/bdd";
import { Context } from "../../mod.ts";
import { Cuts, LONG, SHORT } from "../_util/faulty_cuts.ts";
import { FaultyNetwork } from "../_util/faulty_network.ts";
import { freshSeed, Random } from "../_util/faulty_random.ts";

const seed = freshSeed();
const network = new FaultyNetwork(seed);
const context = new Context({ runtime: network, maxSockets: 65_535 });
const random = new Random(seed);

/** One place in so many, but all of them in the long run. */
async function some(cuts: Cuts, step: number): Promise<void> {
  const first = random.between(0, step - 1);
  try {
    await cuts.run(await cuts.places(step, first));
  } catch (error) {
    throw new Error(`seed ${seed}, from octet ${first} on`, { cause: error });
  }
}

describe("a conversation that is cut", () => {
  it("at any of its octets is heard in full, each message once", async () => {
    const cuts = new Cuts(network, context, "NULL", SHORT);
    await cuts.run(await cuts.places());
  });

  it("anywhere is heard in full with CURVE too", async () => {
    await some(new Cuts(network, context, "CURVE", SHORT), 17);
  });

  it("within frames that are held by reference is heard in full", async () => {
    await some(new Cuts(network, context, "NULL", LONG), 9_973);
  });
});
