// The thread of the cells. It has no sockets: while a cell keeps it busy, the main thread goes on answering.

import { parentPort, workerData } from "node:worker_threads";
import type {
  Call,
  CellThreadData,
  CodeCall,
  ExecuteCall,
  ExecuteResult,
  ExpressionResult,
  Report,
} from "./calls.ts";
import { askingGlobals, captureConsole, defineGlobals, importGlobals } from "./cell_globals.ts";
import { complete } from "./complete.ts";
import { Displays, show } from "./display.ts";
import { evaluate } from "./evaluate.ts";
import { inspectAt } from "./inspect.ts";
import { Output } from "./output.ts";
import type { Script } from "./prepare.ts";
import { cellName, failureOf, nameCellsInStacks, rememberCell } from "./traceback.ts";

/** What an interrupted cell fails with. */
class Interrupted extends Error {
  override readonly name: string = "Interrupted";
}

/** The cell that runs. */
interface Running {
  readonly abort: AbortController;
  readonly interruption: PromiseWithResolvers<never>;
  readonly allowStdin: boolean;
}

const port = parentPort!;
const post = (report: Report): void => port.postMessage(report);
const output = new Output(post, workerData as CellThreadData);
const displays = new Displays(output, (error) => printError(error));

let running: Running | undefined;
let idle = new AbortController();
let question: PromiseWithResolvers<string> | undefined;
let lastQuestion: Promise<unknown> = Promise.resolve();

nameCellsInStacks();
captureConsole(output, () => output.send({ type: "clear", wait: false }));
defineGlobals({
  ...displays.globals(),
  ...askingGlobals((text, password) => {
    // One question at a time.
    const turn = lastQuestion.then(() => ask(text, password));
    lastQuestion = turn.catch(() => {});
    return turn;
  }),
  ...importGlobals(),
  jupyter: {
    /** Aborted when the cell that runs is interrupted. */
    get signal(): AbortSignal {
      return (running?.abort ?? idle).signal;
    },
  },
});
outliveErrors();
port.on("message", (call: Call) => receive(call));
post({ type: "ready" });

function receive(call: Call): void {
  if (call.type === "execute") void execute(call);
  else if (call.type === "interrupt") interrupt();
  else if (call.type === "input") answer(call.text, call.error);
  else answerAboutCode(call);
}

async function execute(call: ExecuteCall): Promise<void> {
  const abort = new AbortController();
  const interruption = Promise.withResolvers<never>();
  interruption.promise.catch(() => {});
  running = { abort, interruption, allowStdin: call.allowStdin };
  const name = cellName(call.count);
  rememberCell(name, call.source, call.script.shift);
  let value: ExecuteResult;
  try {
    value = await Promise.race([runCell(call, name), interruption.promise]);
  } catch (error) {
    value = { failure: failureOf(error, name), expressions: {} };
  }
  running = undefined;
  idle = abort;
  output.flush();
  post({ type: "reply", id: call.id, value });
}

async function runCell(call: ExecuteCall, name: string): Promise<ExecuteResult> {
  const outcome = await evaluate(call.script, name);
  await displays.settled();
  if (outcome.threw) {
    return { failure: failureOf(outcome.value, name, outcome.place), expressions: {} };
  }
  const result = outcome.value === undefined ? undefined : await show(outcome.value);
  const expressions: Record<string, ExpressionResult> = {};
  for (const [key, script] of Object.entries(call.expressions)) {
    expressions[key] = await expression(script, key);
  }
  return { result, expressions };
}

async function expression(script: Script, name: string): Promise<ExpressionResult> {
  const { value, threw, place } = await evaluate(script, name);
  if (threw) return { status: "error", ...failureOf(value, name, place) };
  return { status: "ok", ...await show(value) };
}

function interrupt(): void {
  if (running !== undefined) {
    const error = new Interrupted("The cell was interrupted");
    running.abort.abort(error);
    question?.reject(error);
    running.interruption.reject(error);
  }
  post({ type: "interrupted" });
}

/** Asks the user by way of the main thread. */
function ask(text: string, password: boolean): Promise<string> {
  if (running?.allowStdin !== true) {
    return Promise.reject(new Error("Cannot ask: this client does not answer questions of cells"));
  }
  question = Promise.withResolvers();
  output.send({ type: "input", prompt: text, password });
  return question.promise;
}

function answer(text: string | undefined, error: string | undefined): void {
  if (error === undefined) question?.resolve(text ?? "");
  else question?.reject(new Error(error));
  question = undefined;
}

function answerAboutCode({ type, id, code, position, detail }: CodeCall): void {
  let value: unknown;
  try {
    value = type === "complete"
      ? complete(code, position, globalThis)
      : inspectAt(code, position, detail, globalThis);
  } catch {
    // Odd objects: no answer is better than none at all.
  }
  post({ type: "reply", id, value });
}

/** What goes wrong in the background is printed, and ends nothing. */
function outliveErrors(): void {
  if ("Deno" in globalThis) {
    addEventListener("error", (event) => {
      event.preventDefault();
      printError((event as ErrorEvent).error);
    });
    addEventListener("unhandledrejection", (event) => {
      event.preventDefault();
      printError((event as PromiseRejectionEvent).reason);
    });
  } else {
    // deno-lint-ignore no-process-global
    process.on("uncaughtException", printError).on("unhandledRejection", printError);
  }
}

function printError(error: unknown): void {
  if (error instanceof Interrupted) return;
  output.write("stderr", `${failureOf(error).traceback.join("\n")}\n`);
}
