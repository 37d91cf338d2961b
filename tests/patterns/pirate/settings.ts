// What the fault tests and their processes have in common: times, and workers.

import {
  ParanoidPirateWorker,
  type PirateHandler,
  SimplePirateWorker,
} from "../../../src/patterns/pirate/mod.ts";
import { pause } from "../../_util/deadline.ts";

/** Silence is noticed in less than a second, and a busy machine is not taken for dead. */
export const BEATS = { heartbeatInterval: 100, heartbeatLiveness: 6 } as const;

/** A client that tries for half a minute. */
export const TRIES = { timeout: 300, retries: 100 } as const;

/** However long a busy machine keeps two from meeting, they try again soon. */
const PAUSES = { reconnectInterval: 50, reconnectMaxInterval: 400 } as const;

/** What a request takes. */
const WORK_MS = 5;

/** A worker that answers with what it was asked, and its name. */
export function workerOf(
  kind: "paranoid" | "simple",
  endpoint: string,
  name: string,
): ParanoidPirateWorker | SimplePirateWorker {
  const handler: PirateHandler = async ([text]) => {
    await pause(WORK_MS);
    return `${text} by ${name}`;
  };
  const worker = kind === "paranoid"
    ? new ParanoidPirateWorker({ ...BEATS, ...PAUSES, handler })
    : new SimplePirateWorker({ handler, timeout: 300 });
  worker.connect(endpoint);
  return worker;
}
