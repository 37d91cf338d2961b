// The runtime of the test with parts of it replaced.

import { Context, type Runtime } from "../../mod.ts";
import { detectRuntime } from "../../src/runtime/detect.ts";

/** A context on this runtime, but for what is given. */
export function contextWith(changes: Partial<Runtime>): Context {
  return new Context({ runtime: { ...detectRuntime(), ...changes } });
}

/** This runtime, to be wrapped. */
export function realRuntime(): Runtime {
  return detectRuntime();
}
