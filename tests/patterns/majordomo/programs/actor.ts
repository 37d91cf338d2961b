// One part of Majordomo in a process of its own:
//
//   actor.ts broker [ENDPOINT]            prints where it listens
//   actor.ts worker ENDPOINT NAME [MS]    answers `service` with the question, its name and its process, after MS
//   actor.ts client ENDPOINT TEXT         asks again and again, prints each reply

import {
  MajordomoBroker,
  MajordomoClient,
  MajordomoWorker,
} from "../../../../src/patterns/majordomo/mod.ts";
import { BEATS, TRIES } from "../settings.ts";
import { OWN_PORT } from "../../../_util/ports.ts";
import { endWithTest } from "../../../_util/lifeline.ts";

const { process } = globalThis as unknown as {
  process: {
    argv: string[];
    getBuiltinModule(name: "node:fs"): { writeSync(file: number, text: string): void };
  };
};
const [, , role, endpoint, name, ms] = process.argv;
endWithTest();
const say = (text: string) => process.getBuiltinModule("node:fs").writeSync(1, `${text}\n`);

if (role === "broker") {
  const broker = new MajordomoBroker(BEATS);
  broker.events.on("lost", ({ reason }) => say(`gone ${reason}`));
  await broker.bind(endpoint ?? OWN_PORT);
  say(`listening ${broker.lastEndpoint}`);
} else if (role === "worker") {
  const worker = new MajordomoWorker({
    ...BEATS,
    endpoint,
    service: "echo",
    reconnectInterval: 50,
    handler: async ([body]) => {
      say(`got ${body}`);
      if (ms !== undefined) await new Promise((resolve) => setTimeout(resolve, Number(ms)));
      return `${body} by ${name}`;
    },
  });
  worker.events.on("lost", ({ reason }) => say(`lost ${reason}`));
  say("ready");
} else {
  const client = new MajordomoClient({ ...TRIES, endpoint });
  for (;;) say(`${await client.request("echo", name)}`);
}
