// Takes the place of src/runtime/detect.ts, by the import map of tests/faults, for tests of behaviour under faults.

import type { Runtime } from "../../src/link/stream.ts";
import { detectRuntime as detectReal } from "../../src/runtime/detect.ts";
import { faultyRuntime } from "./faulty_runtime.ts";
import { nextRandom } from "./faulty_schedule.ts";

let faulty: Runtime | undefined;

/** The runtime of this program, with faults. */
export function detectRuntime(): Runtime {
  return faulty ??= faultyRuntime(detectReal(), nextRandom);
}
