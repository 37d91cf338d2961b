/**
 * Clone: a map that a server and its clients share, in the five steps of the guide.
 *
 * 1. Updates: what the server sets, all clients have. 2. Snapshots: who comes late has all of it.
 * 3. Updates from clients: what one client sets, the others have, in one order for all. 4. Subtrees:
 * who wants a part gets that part. 5. Ephemeral values: what nobody renews is deleted.
 *
 *   deno run --allow-net examples/guide/clone.ts
 *
 * or the same with `bun` or `node`. After clonesrv1 to clonesrv5 and clonecli1 to clonecli5 of the
 * ZeroMQ guide.
 *
 * @module
 */

import { CloneClient, CloneServer } from "../../src/patterns/mod.ts";
import { sleep } from "./program.ts";

const show = (name: string, client: CloneClient): void => {
  const values = Array.from(client, ([key, value]) => `${key}=${value}`).sort();
  console.log(`   ${name}: ${values.join(" ") || "nothing"}`);
};
/** Waits until it is so: other clients hear of an update a moment later. */
const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await sleep(1);
};

const server = new CloneServer({ heartbeatInterval: 200 });
await server.bind("tcp://127.0.0.1:*");
const join = async (subtree = ""): Promise<CloneClient> => {
  const client = new CloneClient({ servers: [server.endpoints!], subtree, heartbeatInterval: 200 });
  await client.ready;
  return client;
};

console.log("1. updates: the server sets");
const ada = await join();
server.set("/prices/apple", 3);
server.set("/prices/pear", 4);
server.set("/prices/apple", 5);
await until(() => String(ada.get("/prices/apple")) === "5" && ada.size === 2);
show("Ada", ada);

console.log("2. snapshot: Ben comes late");
const ben = await join();
show("Ben", ben);

console.log("3. clients' updates: Ada sets, Ben deletes");
await ada.set("/people/ada", "here");
await ben.delete("/prices/pear");
await until(() => ben.has("/people/ada") && !ada.has("/prices/pear"));
show("Ada", ada);
show("Ben", ben);

console.log("4. subtree: Cleo wants the people");
const cleo = await join("/people/");
await ada.set("/prices/plum", 6);
await ada.set("/people/dan", "asleep");
await until(() => cleo.size === 2);
show("Cleo", cleo);

console.log("5. ephemeral: Cleo is here for a second, unless she says so again");
await cleo.set("/people/cleo", "here", { ttl: 1 });
show("Cleo", cleo);
await cleo.close();
await until(() => ben.has("/people/cleo"));
console.log("   Cleo leaves");
await until(() => !ben.has("/people/cleo"));
show("Ben", ben);

const { published, snapshots, expired } = server.stats();
console.log(`the server published ${published} updates and sent ${snapshots} snapshots`);
console.log(`it let ${expired} value expire`);
await Promise.all([ada, ben, server].map((part) => part.close()));
