/**
 * A pair of Clone servers: the map outlives the death of the server.
 *
 * Each server has a Binary Star that tells it whether it serves. The passive one follows the active
 * one as a client would, and holds what clients set until the active one has published it. Clients
 * know both, and what they set is sent again until it is published: by whom does not matter.
 *
 *   deno run --allow-net examples/guide/clone_pair.ts
 *
 * or the same with `bun` or `node`. After clonesrv6 and clonecli6 of the ZeroMQ guide.
 *
 * @module
 */

import {
  BinaryStar,
  type BinaryStarRole,
  CloneClient,
  CloneServer,
} from "../../src/patterns/mod.ts";
import { sleep } from "./program.ts";

const BEATS = { heartbeatInterval: 50, heartbeatLiveness: 10 };

async function startServer(role: BinaryStarRole): Promise<[BinaryStar, CloneServer]> {
  const star = new BinaryStar({ role, ...BEATS });
  await star.bind("tcp://127.0.0.1:*");
  const server = new CloneServer({ binaryStar: star, ...BEATS });
  await server.bind("tcp://127.0.0.1:*");
  star.events.on("active", () => console.log(`${role}: serves`));
  star.events.on("passive", () => console.log(`${role}: stands by`));
  server.events.on("synchronised", ({ size }) => console.log(`${role}: has ${size} values`));
  return [star, server];
}

const [primaryStar, primary] = await startServer("primary");
const [backupStar, backup] = await startServer("backup");
primary.follow(backup.endpoints!);
backup.follow(primary.endpoints!);
primaryStar.connect(backupStar.endpoint!);
backupStar.connect(primaryStar.endpoint!);

const servers = [primary.endpoints!, backup.endpoints!];
const ada = new CloneClient({ servers, ...BEATS });
const ben = new CloneClient({ servers, ...BEATS });
await Promise.all([ada.ready, ben.ready]);
while (!backup.synchronised) await sleep(5);

await ada.set("ada", "before");
await ben.set("ben", "before");
console.log(`the primary dies with ${primary.size} values`);
await primary.close();

await ada.set("ada", "after"); // resolves when it is published: by the backup
await ben.set("more", "after");
while (!ada.has("more") || String(ben.get("ada")) !== "after") await sleep(1);
for (const [name, client] of Object.entries({ ada, ben })) {
  const values = Array.from(client, ([key, value]) => `${key}=${value}`).sort();
  console.log(`${name} has ${values.join(" ")}`);
}

await Promise.all([ada, ben, backup].map((part) => part.close()));
