// In the thread of the cells: errors for readers. Lines are those of the cells; the kernel's own frames are left out.

import type { Failure } from "./calls.ts";
import { plain } from "./display.ts";

interface Frame {
  getFunctionName(): string | null;
  getScriptNameOrSourceURL(): string | null;
  getLineNumber(): number | null;
  getColumnNumber(): number | null;
  isAsync?(): boolean;
  isConstructor(): boolean;
}

/** Where code could not be read. */
export interface Place {
  readonly line: number;
  /** Of the script; the cell's own is less, by its shift. */
  readonly column: number;
}

const KERNEL = new URL(".", import.meta.url).href;
/** So many cells' sources are remembered. */
const SOURCES = 1_000;
const RED = "\x1b[31m";
const DIM = "\x1b[2m";
const RESET = "\x1b[0m";
const CELL_PLACE = /In\[\d+\]:(\d+):(\d+)/;

const cells = new Map<string, { readonly source: string; readonly shift: number }>();

/** The name of a cell, in tracebacks. */
export function cellName(count: number): string {
  return `In[${count}]`;
}

/** Remembers what was written in a cell, and by how much its first line was moved to the right. */
export function rememberCell(name: string, source: string, shift: number): void {
  cells.delete(name);
  cells.set(name, { source, shift });
  if (cells.size > SOURCES) {
    for (const oldest of cells.keys()) {
      cells.delete(oldest);
      break;
    }
  }
}

/** Stacks from now on have the cells' names, on Deno too, and no frames of the runtime and of the kernel. */
export function nameCellsInStacks(): void {
  (Error as { prepareStackTrace?: unknown }).prepareStackTrace = (
    error: Error,
    frames: readonly Frame[],
  ) => {
    const lines = frames.filter(isOfUser).map((frame) => `\n    at ${describe(frame)}`);
    return header(error) + lines.join("");
  };
}

/** An error as clients show it: its name and message, the line of the cell, the stack. */
export function failureOf(thrown: unknown, cell: string = "", place?: Place): Failure {
  const [ename, evalue] = titleOf(thrown);
  const traceback = [`${RED}${ename}${RESET}: ${evalue}`];
  const stack = stackOf(thrown);
  const at = CELL_PLACE.exec(stack)?.[0] ?? (place && inCell(cell, place));
  if (at !== undefined) traceback.push(...excerpt(at));
  for (const line of stack.split("\n")) {
    if (/^ +at /.test(line)) traceback.push(`${DIM}${line}${RESET}`);
  }
  if (thrown instanceof Error && thrown.cause !== undefined) {
    const cause = failureOf(thrown.cause);
    traceback.push("Caused by", ...cause.traceback);
  }
  return { ename, evalue, traceback };
}

function inCell(cell: string, { line, column }: Place): string {
  const shift = line === 1 ? cells.get(cell)?.shift ?? 0 : 0;
  return `${cell}:${line}:${Math.max(1, column - shift)}`;
}

function titleOf(thrown: unknown): [name: string, message: string] {
  try {
    if (thrown instanceof Error) return [String(thrown.name), String(thrown.message)];
  } catch {
    // A getter that throws.
  }
  return ["Uncaught", plain(thrown)];
}

function stackOf(thrown: unknown): string {
  try {
    return thrown instanceof Error ? String(thrown.stack ?? "") : "";
  } catch {
    return "";
  }
}

/** The line of a cell with its neighbours, and a mark below. */
function excerpt(at: string): string[] {
  const [name] = at.split(":");
  const [, line, column] = CELL_PLACE.exec(at)!.map(Number);
  const lines = cells.get(name)?.source.split("\n") ?? [];
  if (lines[line - 1] === undefined) return [`  ${at}`];
  const first = Math.max(1, line - 2);
  const width = String(line + 1).length;
  const text = [`  ${at}`];
  for (let i = first; i <= Math.min(lines.length, line + 1); i++) {
    text.push(`${i === line ? ">" : " "} ${String(i).padStart(width)} | ${lines[i - 1]}`);
    if (i === line) text.push(`  ${" ".repeat(width)} | ${" ".repeat(column - 1)}^`);
  }
  return text;
}

function isOfUser(frame: Frame): boolean {
  const source = frame.getScriptNameOrSourceURL();
  return typeof source === "string" && source !== "" &&
    !/^(?:node|ext|internal|bun):/.test(source) && !source.startsWith(KERNEL);
}

function describe(frame: Frame): string {
  const source = frame.getScriptNameOrSourceURL()!;
  const line = frame.getLineNumber();
  const column = (frame.getColumnNumber() ?? 1) - (line === 1 ? cells.get(source)?.shift ?? 0 : 0);
  const place = `${source}:${line}:${Math.max(1, column)}`;
  const name = frame.getFunctionName()?.replace(/^eval$/, ""); // a cell's own level
  const before = frame.isAsync?.() ? "async " : frame.isConstructor() ? "new " : "";
  return name ? `${before}${name} (${place})` : `${before}${place}`;
}

function header(error: Error): string {
  const [name, message] = titleOf(error);
  return message === "" ? name : `${name}: ${message}`;
}
