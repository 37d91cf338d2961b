/**
 * A Binary Star pair: two servers, one serves, the other stands by and takes over.
 *
 * The primary is closed in the middle, which to its clients is the same as a crash; the backup takes
 * over with the first request that it gets, and the primary that comes back stands by. The service
 * is a ROUTER: `voter` hands over only those requests that this server has to answer.
 *
 *   deno run --allow-net examples/guide/binary_star.ts
 *
 * or the same with `bun` or `node`. After bstarsrv, bstarcli, bstar and bstarsrv2 of the ZeroMQ guide.
 *
 * @module
 */

import { Router } from "../../mod.ts";
import { BinaryStar, BinaryStarClient, type BinaryStarRole } from "../../src/patterns/mod.ts";
import { sleep } from "./program.ts";

interface Server {
  readonly star: BinaryStar;
  readonly router: Router;
}

const ANY = "tcp://127.0.0.1:*";
const BEATS = { heartbeatInterval: 50, heartbeatLiveness: 10 };

/** One server of the pair: tells its state at `local`, and answers at `service`. */
async function startServer(role: BinaryStarRole, local = ANY, service = ANY): Promise<Server> {
  const star = new BinaryStar({ role, ...BEATS });
  star.events.on("active", ({ was }) => console.log(`${role}: active, was ${was}`));
  star.events.on("passive", ({ was }) => console.log(`${role}: passive, was ${was}`));
  const router = new Router();
  await router.bind(service);
  star.voter(router, async ([client, empty, request]) => {
    await router.send([client, empty, `${request}, answered by the ${role}`]);
  });
  await star.bind(local);
  return { star, router };
}

async function stop({ star, router }: Server): Promise<void> {
  await Promise.all([star.close(), router.close()]);
}

const primary = await startServer("primary");
const backup = await startServer("backup");
const addresses = [primary.star.endpoint!, primary.router.lastEndpoint!] as const;
primary.star.connect(backup.star.endpoint!);
backup.star.connect(primary.star.endpoint!);
while (!primary.star.active || backup.star.state !== "passive") await sleep(5);

const client = new BinaryStarClient({
  servers: [primary.router.lastEndpoint!, backup.router.lastEndpoint!],
  timeout: 300,
  settleDelay: 300,
});
client.events.on("failover", () => console.log("client: no answer, going on to the other server"));
const ask = async (request: string): Promise<void> =>
  console.log(`client: ${await client.request(request)}`);

await ask("request 1");
await ask("request 2");

console.log("the primary is gone");
await stop(primary);
await ask("request 3");

console.log("the primary is back");
const again = await startServer("primary", ...addresses);
again.star.connect(backup.star.endpoint!);
while (again.star.state !== "passive") await sleep(5);
await ask("request 4");

await client.close();
await stop(again);
await stop(backup);
