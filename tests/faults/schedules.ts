// Many random schedules of each conversation over the faulty network in memory, by hand:
//
//   deno run -A tests/faults/schedules.ts [--seed S] [--rounds N] [FILTER]
//
// Then a short conversation is cut at each of its octets. Schedule number i has the seed S + i; what fails is named with its own seed, to be run alone with --rounds 1.

import { Context } from "../../mod.ts";
import { Cuts, LONG, SHORT } from "../_util/faulty_cuts.ts";
import { FaultyNetwork } from "../_util/faulty_network.ts";
import { PATTERNS } from "../_util/faulty_patterns.ts";
import { freshSeed } from "../_util/faulty_random.ts";
import { FaultyStage } from "../_util/faulty_stage.ts";

/** Conversations at once. */
const ABREAST = 20;
/** Messages each way. */
const COUNT = 40;
/** Long conversations are cut after so many octets, and as many more, and so on. */
const LONG_STEP = 499;

const { process } = globalThis as unknown as {
  process: { argv: string[]; exit(code: number): never };
};
// deno-lint-ignore no-console
const say = (line: string): void => console.log(line);

const options: Record<string, string> = { seed: String(freshSeed() >>> 1), rounds: "200" };
let filter = "";
for (let args = process.argv.slice(2); args.length > 0; args = args.slice(1)) {
  if (args[0].startsWith("--")) options[args[0].slice(2)] = (args = args.slice(1))[0];
  else filter = args[0];
}
const first = Number(options.seed);
const rounds = Number(options.rounds);
say(`seed ${first}, ${rounds} schedules of each conversation`);

let failures = 0;
let connections = 0;
for (const [name, talk] of Object.entries(PATTERNS)) {
  if (!name.includes(filter)) continue;
  const start = performance.now();
  const network = new FaultyNetwork(first);
  const context = new Context({ runtime: network, maxSockets: 65_535 });
  let next = first;
  const work = async (): Promise<void> => {
    while (next < first + rounds) {
      const seed = next++;
      const stage = new FaultyStage(network, context, seed, COUNT);
      try {
        await stage.run(talk);
      } catch (error) {
        failures++;
        say(`FAILED ${name}, --seed ${seed} --rounds 1: ${(error as Error).stack}`);
      }
      connections += stage.place.connections;
    }
  };
  await Promise.all(Array.from({ length: Math.min(ABREAST, rounds) }, work));
  say(`${name}: ${rounds} schedules, ${((performance.now() - start) / 1000).toFixed(1)} s`);
}
for (const mechanism of ["NULL", "CURVE"] as const) {
  const name = `every octet of a conversation with ${mechanism}`;
  if (!name.includes(filter)) continue;
  const network = new FaultyNetwork(first);
  const context = new Context({ runtime: network, maxSockets: 65_535 });
  for (const [said, step] of [[SHORT, 1], [LONG, LONG_STEP]] as const) {
    const cuts = new Cuts(network, context, mechanism, said);
    const places = await cuts.places(step);
    await cuts.run(places).catch((error) => {
      failures++;
      say(`FAILED ${name}, --seed ${first}: ${error.stack}: ${error.cause?.stack}`);
    });
    say(`${name}: ${places.length} cuts, each in ${step}`);
  }
}
say(`${connections} connections; ${failures === 0 ? "GOOD" : `${failures} FAILED`}`);
process.exit(failures === 0 ? 0 : 1);
