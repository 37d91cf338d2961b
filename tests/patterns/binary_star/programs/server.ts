// One server of a Binary Star pair: role, where it binds, where the other is, where clients ask. Answers with its role, and
// prints what happens to it.

import { Router } from "../../../../mod.ts";
import { BinaryStar, type BinaryStarRole } from "../../../../src/patterns/binary_star/mod.ts";
import { BEATS } from "../beats.ts";
import { endWithTest } from "../../../_util/lifeline.ts";

const { process } = globalThis as unknown as {
  process: {
    readonly pid: number;
    readonly argv: readonly string[];
  };
};
endWithTest();

const [, , role, local, remote, service] = process.argv;
const star = new BinaryStar({ role: role as BinaryStarRole, ...BEATS });
star.events
  .on("active", ({ was }) => console.log(`active from ${was}`))
  .on("passive", ({ was }) => console.log(`passive from ${was}`))
  .on("conflict", ({ both, yields }) => console.log(`conflict ${both} ${yields}`));
const router = new Router();
await router.bind(service);
star.voter(router, ([id, empty, body]) => {
  console.log(`serves ${body}`);
  router.trySend([id, empty, role, body]);
});
await star.bind(local);
star.connect(remote);
console.log(`pid ${process.pid}.`);
