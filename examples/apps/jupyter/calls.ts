// What the kernel's main thread and the thread of the cells tell each other.

import type { Script } from "./prepare.ts";

/** Data by its MIME type. */
export type MimeBundle = Readonly<Record<string, unknown>>;

/** A value as clients show it. */
export interface Shown {
  readonly data: MimeBundle;
  readonly metadata: MimeBundle;
}

/** An error as clients show it. */
export interface Failure {
  readonly ename: string;
  readonly evalue: string;
  readonly traceback: readonly string[];
}

/** What an expression gave. */
export type ExpressionResult =
  | { readonly status: "ok" } & Shown
  | { readonly status: "error" } & Failure;

/** Run a cell. */
export interface ExecuteCall {
  readonly type: "execute";
  readonly id: number;
  /** Of the cell: it names the cell in tracebacks. */
  readonly count: number;
  /** As it was written, for tracebacks. */
  readonly source: string;
  readonly script: Script;
  readonly allowStdin: boolean;
  /** By name, run after the cell. */
  readonly expressions: Readonly<Record<string, Script>>;
}

/** Ask about code. */
export interface CodeCall {
  readonly type: "complete" | "inspect";
  readonly id: number;
  readonly code: string;
  /** Of the cursor, in UTF-16 units. */
  readonly position: number;
  readonly detail: number;
}

/** From the main thread. */
export type Call =
  | ExecuteCall
  | CodeCall
  | { readonly type: "interrupt" }
  | {
    readonly type: "input";
    readonly text?: string | undefined;
    readonly error?: string | undefined;
  };

/** What a cell gave; `result` is missing when that was `undefined`. */
export type ExecuteResult = {
  readonly failure?: Failure | undefined;
  readonly result?: Shown | undefined;
  readonly expressions: Readonly<Record<string, ExpressionResult>>;
};

/** Names that fit at the cursor, with what they are. */
export interface Completion {
  readonly matches: readonly string[];
  readonly types: readonly string[];
  readonly start: number;
  readonly end: number;
}

/** Something that a cell shows. */
export interface DisplayEvent extends Shown {
  readonly type: "display";
  readonly displayId?: string | undefined;
  /** It replaces what was shown with this id. */
  readonly update: boolean;
  /** How much it takes of what may be under way. */
  readonly size: number;
}

/** Text of a cell. */
export interface StreamEvent {
  readonly type: "stream";
  readonly name: "stdout" | "stderr";
  readonly text: string;
}

/** From the thread of the cells. */
export type Report =
  | { readonly type: "ready" }
  | { readonly type: "interrupted" }
  | { readonly type: "reply"; readonly id: number; readonly value: unknown }
  | { readonly type: "clear"; readonly wait: boolean }
  | { readonly type: "input"; readonly prompt: string; readonly password: boolean }
  | StreamEvent
  | DisplayEvent;

/** Given to the thread at its start. */
export interface CellThreadData {
  /** How many characters of output are under way; the thread waits while it is too many. */
  readonly underWay: Int32Array;
}
