// Parts in processes of their own: program.ts broker ENDPOINT | titanic ENDPOINT FOLDER | worker ENDPOINT | client ENDPOINT COUNT.

import { MajordomoBroker, MajordomoWorker } from "../../../src/patterns/majordomo/mod.ts";
import { Titanic, TitanicClient } from "../../../src/patterns/titanic/mod.ts";
import { endWithTest } from "../../_util/lifeline.ts";

const { process } = globalThis as unknown as { process: { readonly argv: readonly string[] } };
const [, , part, endpoint, argument] = process.argv;
const beats = { heartbeatInterval: 50, heartbeatLiveness: 16 } as const;

// The client ends by itself.
if (part !== "client") endWithTest();
if (part === "broker") {
  const broker = new MajordomoBroker({ ...beats, requestTimeout: 1000 });
  await broker.bind(endpoint);
  console.log(`bound ${broker.lastEndpoint} `);
} else if (part === "titanic") {
  const titanic = new Titanic({
    ...beats,
    endpoint,
    folder: argument,
    retryInterval: 50,
    executionTimeout: 1000,
  });
  await titanic.ready();
  console.log("ready");
} else if (part === "worker") {
  new MajordomoWorker({
    ...beats,
    endpoint,
    service: "echo",
    reconnectInterval: 50,
    handler: (frames) => ["re:", ...frames],
  });
  console.log("ready");
} else {
  // Submits, and tells each UUID; it never fetches.
  const client = new TitanicClient({ endpoint, timeout: 500, retries: 0 });
  console.log("ready");
  for (let i = 0; i < Number(argument); i++) {
    const uuid = await client.submit("echo", `body ${i}`).catch(() => "");
    if (uuid !== "") console.log(`stored ${i} ${uuid}.`);
  }
  console.log("over");
  await client.close();
}
