// A Clone server, alone or one of a pair: its setup is JSON. Prints what happens to it.

import { BinaryStar, type BinaryStarRole } from "../../../../src/patterns/binary_star/mod.ts";
import { type CloneEndpoints, CloneServer } from "../../../../src/patterns/clone/mod.ts";
import { QUICK } from "../quick.ts";
import { endWithTest } from "../../../_util/lifeline.ts";

/** What the program is told. */
export interface Setup {
  readonly own: CloneEndpoints;
  /** For one of a pair. */
  readonly pair?: {
    readonly role: BinaryStarRole;
    readonly local: string;
    readonly remote: string;
    readonly peer: CloneEndpoints;
  };
}

const { process } = globalThis as unknown as {
  process: {
    readonly pid: number;
    readonly argv: readonly string[];
  };
};
endWithTest();

const { own, pair } = JSON.parse(process.argv[2]) as Setup;
let server: CloneServer;
if (pair === undefined) {
  server = new CloneServer(QUICK);
} else {
  const star = new BinaryStar({ role: pair.role, ...QUICK });
  star.events
    .on("active", ({ was }) => console.log(`active from ${was}`))
    .on("passive", ({ was }) => console.log(`passive from ${was}`));
  server = new CloneServer({ ...QUICK, binaryStar: star });
  server.follow(pair.peer);
  await star.bind(pair.local);
  star.connect(pair.remote);
}
server.events
  .on("update", ({ key }) => key === "last" && console.log("has the last."))
  .on("synchronised", ({ size }) => console.log(`synchronised ${size}.`))
  .on("malformed", ({ from, reason }) => console.log(`malformed ${from}: ${reason}`));
await server.bind(own);
console.log(`pid ${process.pid}.`);
