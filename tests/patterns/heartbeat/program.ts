// One end in a process of its own: program.ts router | program.ts dealer ENDPOINT. It tells what it notices.

import { Dealer, Router } from "../../../mod.ts";
import { DealerHeartbeat, RouterHeartbeat } from "../../../src/patterns/heartbeat/mod.ts";
import { endWithTest } from "../../_util/lifeline.ts";

const { process } = globalThis as unknown as {
  process: { readonly argv: readonly string[]; readonly pid: number };
};
endWithTest();
const [, , side, endpoint] = process.argv;
const beats = { heartbeatInterval: 50, heartbeatLiveness: 20 };

if (side === "dealer") {
  const dealer = new Dealer({ linger: 0, reconnectInterval: 10 });
  dealer.connect(endpoint);
  const client = new DealerHeartbeat(dealer, beats);
  client.events.on("found", () => console.log("found"));
  client.events.on("lost", () => console.log("lost"));
} else {
  const router = new Router({ linger: 0 });
  await router.bind(endpoint);
  new RouterHeartbeat(router, beats);
  console.log(`bound ${router.lastEndpoint} `);
}
console.log(`pid ${process.pid} `);
