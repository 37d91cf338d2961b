// The soak: every runtime and libzmq together, mixed patterns and mechanisms, connections and subscriptions that come and
// go, peers that are killed, frozen and started again, for a given time.
//
//   deno task soak [--seconds N] [--runtimes deno,bun,node22,node24]
//
// One process of each runtime and one of libzmq stay all the time ("steady"): between them each message has to come, once
// and in order. Two more, one of ours and one of libzmq ("mortal"), are killed every few seconds; messages that died with
// them are lost, but nothing comes twice or out of order. A line of figures now and then, a verdict for each process at
// the end; ends with 1 when one of them is bad.

import { parseArguments, UsageError } from "./arguments.ts";
import { Soak } from "./soak.ts";
import { findRuntimes } from "./processes.ts";

function print(line: string): void {
  // deno-lint-ignore no-console
  console.log(line);
}

async function main(): Promise<number> {
  const { seconds, runtimes: names } = parseArguments(Deno.args);
  const runtimes = await findRuntimes(names);
  for (const name of names) {
    if (!runtimes.has(name)) print(`${name} is missing: run \`npm install\``);
  }
  if (runtimes.size === 0) return 1;
  const nodes = await findRuntimes(["node24", "node22"]);
  if (nodes.size === 0) print("There is no Node for libzmq, which is left out");
  const folder = await Deno.makeTempDir({ prefix: "wasmq-soak-" });
  const soak = new Soak(runtimes, nodes, folder, print);
  const leave = async (): Promise<void> => {
    await soak.abort();
    await Deno.remove(folder, { recursive: true });
  };
  // Who stops it leaves nobody behind, above all nobody frozen.
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => void leave().finally(() => Deno.exit(130)));
  }
  try {
    await soak.start();
    await soak.run(seconds * 1_000);
    const verdicts = await soak.finish();
    print("");
    for (const { name, complaints, figures } of verdicts) {
      print(`${complaints.length === 0 ? "GOOD" : "BAD "} ${name}: ${figures}`);
      for (const complaint of complaints) print(`       ${complaint}`);
    }
    return verdicts.every(({ complaints }) => complaints.length === 0) ? 0 : 1;
  } finally {
    await leave();
  }
}

try {
  Deno.exit(await main());
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  print(error.message);
  Deno.exit(2);
}
