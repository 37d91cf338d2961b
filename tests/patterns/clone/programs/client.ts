// A Clone client that keeps a value alive, and sets another for good.

import { CloneClient, type CloneEndpoints } from "../../../../src/patterns/clone/mod.ts";
import { QUICK } from "../quick.ts";
import { endWithTest } from "../../../_util/lifeline.ts";

const { process } = globalThis as unknown as {
  process: {
    readonly pid: number;
    readonly argv: readonly string[];
  };
};
endWithTest();

const servers = JSON.parse(process.argv[2]) as CloneEndpoints[];
const client = new CloneClient({ ...QUICK, servers });
await client.set("for good", "1");
await client.set("presence", "here", { ttl: 1 });
console.log(`pid ${process.pid}.`);
for (;;) {
  await new Promise((resolve) => setTimeout(resolve, 300));
  await client.set("presence", "here", { ttl: 1 });
}
