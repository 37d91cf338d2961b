// Was a process of the soak well? Its figures say so, or what is wrong.

import type { Holdings } from "./holdings.ts";
import type { SoakProcess } from "./processes.ts";
import type { Report } from "./protocol.ts";

const MB = 1_000_000;

/**
 * What may be added from the second third of the run to the last one, each taken as the lower quartile of its samples. The
 * first third is the warm-up: caches fill and code is compiled. A part for what scales with the process, and some octets for
 * the steps in which allocators grow.
 */
const TOLERANCE: Readonly<Record<"rss" | "heap" | "core", { part: number; least: number }>> = {
  // Allocators keep what is given back, and take it in large steps.
  rss: { part: 0.15, least: 24 * MB },
  heap: { part: 0.1, least: 5 * MB },
  // It grows by half at a time and never shrinks: one step is forgiven.
  core: { part: 0.55, least: MB },
};
/** Descriptors, handles and closed sockets come and go with peers that are killed and sockets that churn. */
const COMES_AND_GOES = 10;
/** Fewer reports than this tell nothing of memory. */
const ENOUGH = 9;
/** A runtime may open one or two of its own when they are first needed. */
const OWN_FILES = 3;

/** What was looked at and what came of it. */
export interface Verdict {
  readonly name: string;
  readonly complaints: readonly string[];
  /** The thirds of the run side by side. */
  readonly figures: string;
}

type Quantity = keyof Holdings;

/** Judges by the reports of the run, and by what was left when all was closed. */
export function judge(process: SoakProcess): Verdict {
  const { setup: { name }, before, after, troubles } = process;
  const reports = process.reportsOfRun;
  const last = process.reports.at(-1);
  if (last === undefined) return { name, complaints: ["it never reported"], figures: "" };
  const complaints = [...faultsOf(last), ...troubles.slice(0, 5)];
  const thirds = reports.length < ENOUGH ? [] : thirdsOf(reports);
  if (thirds.length === 0) complaints.push("it did not run long enough to judge its memory");
  else {
    for (const quantity of ["rss", "heap", "core", "files", "handles", "closed"] as const) {
      const [, middle, end] = thirds.map((third) => level(third, quantity));
      const grown = end - middle;
      if (grown > allowance(quantity, middle)) {
        complaints.push(
          `${quantity} grew from ${shown(quantity, middle)} to ${shown(quantity, end)}`,
        );
      }
    }
  }
  if (isOurs(process) && before !== undefined) {
    if (after === undefined) complaints.push("it did not close in time");
    else if (after.files > before.files + OWN_FILES) {
      complaints.push(`${after.files - before.files} descriptors are left when all is closed`);
    } else if (after.handles > before.handles) {
      complaints.push(`${after.handles - before.handles} handles are left when all is closed`);
    }
  }
  const columns = (["rss", "heap", "core", "files", "closed"] as const).map((quantity) =>
    `${quantity} ${thirds.map((third) => shown(quantity, level(third, quantity))).join(" > ")}`
  );
  return { name, complaints, figures: columns.join("; ") };
}

function isOurs({ setup: { library } }: SoakProcess): boolean {
  return library === "wasmq";
}

function faultsOf({ faults, stories }: Report): string[] {
  const counted = Object.entries(faults).filter(([, count]) => count > 0);
  return counted.length === 0 ? [] : [
    counted.map(([kind, count]) => `${count} messages ${kind}`).join(", "),
    ...stories.slice(0, 5),
  ];
}

function thirdsOf(reports: readonly Report[]): readonly (readonly Report[])[] {
  const third = Math.floor(reports.length / 3);
  const [from, to] = [reports.length - 3 * third, reports.length];
  return [
    reports.slice(from, from + third),
    reports.slice(from + third, to - third),
    reports.slice(to - third),
  ];
}

/**
 * What is held for sure: a quarter of the samples is lower. (Memory that is free already is counted for a while, the more so
 * where array buffers are given back by a thread of their own.)
 */
function level(reports: readonly Report[], quantity: Quantity): number {
  const sorted = reports.map(({ holdings }) => holdings[quantity]).toSorted((a, b) => a - b);
  return sorted[sorted.length >> 2];
}

function allowance(quantity: Quantity, value: number): number {
  if (!isMemory(quantity)) return COMES_AND_GOES;
  const { part, least } = TOLERANCE[quantity];
  return Math.max(least, part * value);
}

function shown(quantity: Quantity, value: number): string {
  return isMemory(quantity) ? `${(value / MB).toFixed(1)} MB` : String(value);
}

function isMemory(quantity: Quantity): quantity is keyof typeof TOLERANCE {
  return quantity in TOLERANCE;
}
