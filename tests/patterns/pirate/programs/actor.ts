// One part of a Pirate pattern as a process of its own, to be killed and frozen:
//
//   actor.ts queue|balancer [FRONTEND BACKEND]   prints `clients ADDRESS` and `workers ADDRESS`
//   actor.ts paranoid|simple ADDRESS NAME        a worker
//   actor.ts client ADDRESS                      asks for ever; prints `had TEXT` for each reply
//   actor.ts rep ADDRESS                         a plain REP service

import { Reply } from "../../../../mod.ts";
import {
  LazyPirateClient,
  LoadBalancingBroker,
  ParanoidPirateQueue,
} from "../../../../src/patterns/pirate/mod.ts";
import { pause } from "../../../_util/deadline.ts";
import { OWN_PORT } from "../../../_util/ports.ts";
import { BEATS, TRIES, workerOf } from "../settings.ts";
import { endWithTest } from "../../../_util/lifeline.ts";

const { process } = globalThis as unknown as {
  process: {
    readonly argv: readonly string[];
    readonly stdout: { write(text: string): void };
  };
};
const [, , role, first = OWN_PORT, second = OWN_PORT] = process.argv;
const say = (text: string): void => process.stdout.write(`${text}\n`);

/** The port of a process that was killed can take a moment to become free. */
async function insist(bind: () => Promise<void>): Promise<void> {
  for (let left = 500; left > 0; left--) {
    try {
      return await bind();
    } catch (error) {
      if ((error as { code?: string }).code !== "EADDRINUSE") throw error;
      await pause(20);
    }
  }
}

async function serve(broker: LoadBalancingBroker | ParanoidPirateQueue): Promise<void> {
  await insist(() => broker.bind(first, OWN_PORT));
  say(`clients ${broker.frontendEndpoint}`);
  // Bound apart: each address may be in use for a moment.
  await insist(() => broker.bind(OWN_PORT, second));
  say(`workers ${broker.backendEndpoint}`);
}

const roles: Record<string, () => void | Promise<void>> = {
  queue: () => serve(new ParanoidPirateQueue(BEATS)),
  balancer: () => serve(new LoadBalancingBroker()),
  paranoid: () => void workerOf("paranoid", first, second),
  simple: () => void workerOf("simple", first, second),
  async client() {
    const client = new LazyPirateClient({ ...TRIES, endpoint: first });
    for (let i = 0;; i++) say(`had ${(await client.request(`${i}`))[0]}`);
  },
  async rep() {
    const reply = new Reply();
    await insist(() => reply.bind(first));
    say(`service ${reply.lastEndpoint}`);
    for await (const [text] of reply) await reply.send(`${text} by rep`);
  },
};

// Who started it is gone: so is this.
endWithTest();
await roles[role]();
