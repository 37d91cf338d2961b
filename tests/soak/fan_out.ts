// A thousand subscribers over tcp, ten of them stalled: the others get every message in order, and memory stays flat.
//
//   deno run -A --v8-flags=--expose-gc tests/soak/fan_out.ts [SECONDS] [SUBSCRIBERS] [STALLED]
//
// Runs on Bun and Node (--expose-gc) as well. Prints a line each second and a verdict; ends with 1 when it is bad. All
// sockets are in this one process: the system has to allow it two descriptors for each subscriber (ulimit -n).

import { fanOut } from "../_util/fan_out.ts";
import { canCollect } from "../_util/memory.ts";

const MB = 1_000_000;
const { process } = globalThis as unknown as {
  process: { argv: string[]; exit(code: number): never };
};
/** What the runtime's own heap may come and go by; more where garbage cannot be collected before memory is looked at. */
const FLAT = canCollect ? 20 * MB : 150 * MB;
const [seconds = 60, subscribers = 1_000, stalled = 10] = process.argv.slice(2).map(Number);
// deno-lint-ignore no-console
const report = (line: string): void => console.log(line);

const result = await fanOut({
  subscribers,
  stalled,
  seconds,
  burst: 20,
  pauseMs: 200,
  size: 100,
  report,
});
const complaints = [
  ...result.faults,
  ...(result.missing > 0 ? [`${result.missing} messages are missing`] : []),
  ...(result.droppedForOthers > 0 ? [`${result.droppedForOthers} dropped for readers`] : []),
  ...(stalled > 0 && result.droppedForStalled === 0 ? ["nothing dropped for the stalled"] : []),
  ...(result.grown > FLAT ? [`memory grew by ${(result.grown / MB).toFixed(1)} MB`] : []),
];
report(
  `${subscribers} subscribers, ${stalled} stalled, ${result.seconds.toFixed(1)} s: ` +
    `${result.sent} published, ${result.delivered} delivered ` +
    `(${Math.round(result.delivered / result.seconds)} a second), ` +
    `${result.droppedForStalled} dropped for the stalled; memory ` +
    `${(result.memory[0] / MB).toFixed(1)} MB at first, ` +
    `${(result.memory.at(-1)! / MB).toFixed(1)} MB at last, ` +
    `${(result.grown / MB).toFixed(1)} MB more than in the middle`,
);
report(complaints.length === 0 ? "GOOD" : `BAD: ${complaints.slice(0, 10).join("; ")}`);
process.exit(complaints.length === 0 ? 0 : 1);
