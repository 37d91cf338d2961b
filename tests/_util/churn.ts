// A program that opens and closes many connections and tells after each round what it still holds.
// Usage: churn.ts ROUNDS CONNECTIONS AT_ONCE

import { Dealer, Router } from "../../mod.ts";

/** What the process holds after a round. */
export interface Holdings {
  /** Octets. */
  readonly memory: number;
  /** Open file descriptors; 0 where the system does not tell. */
  readonly files: number;
  /** What keeps Node's event loop busy, without pipes and terminals. */
  readonly resources: readonly string[];
}

const { process, gc, Bun } = globalThis as unknown as {
  gc?: () => void;
  Bun?: { gc(synchronous: boolean): void };
  process: {
    argv: string[];
    memoryUsage(): { rss: number };
    getActiveResourcesInfo?(): string[];
    getBuiltinModule(name: "node:fs"): {
      existsSync(path: string): boolean;
      readdirSync(path: string): string[];
    };
  };
};
const [rounds, connections, atOnce] = process.argv.slice(2).map(Number);
const FILES = "/proc/self/fd";
/** The wait for what the other side of a connection does when it closes. */
const SETTLE_MS = 50;

function holdings(): Holdings {
  const { existsSync, readdirSync } = process.getBuiltinModule("node:fs");
  return {
    memory: process.memoryUsage().rss,
    files: existsSync(FILES) ? readdirSync(FILES).length : 0,
    resources: (process.getActiveResourcesInfo?.() ?? []).filter((name) => /TCP|Time/.test(name)),
  };
}

async function settled(): Promise<Holdings> {
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  gc?.();
  Bun?.gc(true);
  return holdings();
}

/** Opens a connection, moves a message each way, and closes it. */
async function connectOnce(endpoint: string, i: number): Promise<void> {
  const dealer = new Dealer({ routingId: `dealer ${i}`, receiveTimeout: 20_000 });
  dealer.connect(endpoint);
  await dealer.send(`hello ${i}`);
  const [answer] = await dealer.receive();
  if (String(answer) !== `hello ${i}`) throw new Error(`Got ${answer} instead of hello ${i}`);
  await dealer.close();
}

const router = new Router({ backlog: 512 });
await router.bind("tcp://127.0.0.1:*");
const echoing = (async () => {
  for await (const frames of router) await router.send(frames);
})();
const history: Holdings[] = [await settled()];
for (let round = 0; round < rounds; round++) {
  for (let i = 0; i < connections; i += atOnce) {
    await Promise.all(
      Array.from({ length: atOnce }, (_, j) => connectOnce(router.lastEndpoint!, i + j)),
    );
  }
  history.push(await settled());
}
await router.close();
await echoing;
history.push(await settled());
// deno-lint-ignore no-console
console.log(JSON.stringify(history));
