// A part of a federation as a process of its own, to be killed and frozen. What it prints tells the test where it listens.
//
//   part.ts worker ADDRESS | client ADDRESS | broker CLIENTS WORKERS | cluster NAME

import {
  FederatedBroker,
  FederatedClient,
  FederatedWorker,
} from "../../../../src/patterns/federation/mod.ts";
import { pause } from "../../../_util/deadline.ts";
import { OWN_PORT } from "../../../_util/ports.ts";
import { KEEN } from "../stage.ts";
import { endWithTest } from "../../../_util/lifeline.ts";

const { process } = globalThis as unknown as {
  process: { readonly argv: readonly string[]; readonly pid: number };
};

endWithTest();
const [role, first, second] = process.argv.slice(2);

function work(address: string): void {
  const worker = new FederatedWorker({
    ...KEEN,
    concurrency: 8,
    handler: async ([text]) => {
      await pause(10);
      return `did ${text}`;
    },
  });
  worker.connect(address);
}

let told: Readonly<Record<string, string | undefined>> = {};
switch (role) {
  case "worker":
    work(first);
    break;
  case "client": {
    const client = new FederatedClient({ timeout: 60_000 });
    client.connect(first);
    const ask = async () => {
      while (true) await client.request("x");
    };
    for (let i = 0; i < 200; i++) void ask();
    break;
  }
  case "broker": {
    const broker = new FederatedBroker({ name: "a", ...KEEN });
    await broker.bind({ clients: first ?? OWN_PORT, workers: second ?? OWN_PORT });
    told = { ...broker.endpoints };
    break;
  }
  case "cluster": {
    const broker = new FederatedBroker({ name: first, ...KEEN });
    await broker.bind({ workers: OWN_PORT, cloud: OWN_PORT, state: OWN_PORT });
    work(broker.endpoints.workers!);
    told = { ...broker.endpoints };
  }
}
console.log(`${JSON.stringify({ pid: process.pid, ...told })} ready`);
