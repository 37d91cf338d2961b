// The thread of the cells as the main thread sees it: calls, reports, interrupts, and a new thread when one ends.

import { Worker } from "node:worker_threads";
import type {
  Call,
  CodeCall,
  Completion,
  ExecuteCall,
  ExecuteResult,
  Failure,
  MimeBundle,
  Report,
} from "./calls.ts";
import { release } from "./output.ts";
import { Terminator } from "./terminator.ts";

/** What a cell prints, shows and asks. */
export type CellEvent = Extract<
  Report,
  { readonly type: "stream" | "display" | "clear" | "input" }
>;

/** Gets what cells print, show and ask; while its promise is pending, cells that print much wait. */
export type Listener = (event: CellEvent) => Promise<void> | undefined;

/** A cell without what the executor adds. */
export type Execution = Omit<ExecuteCall, "type" | "id">;

interface Pending {
  readonly resolve: (value: unknown) => void;
  readonly call: ExecuteCall | CodeCall;
}

/** A thread that is not busy answers an interrupt at once; one that counts as busy loses its script, or all. */
const GRACE_MS = 500;
const GRACE_BEFORE_END_MS = 1_500;
/** How often a script is ended before the thread is: timers may start the next. */
const TRIES = 8;
const NODE_FLAGS = ["--disable-warning=ExperimentalWarning", "--no-force-async-hooks-checks"];

/** Runs cells. */
export class Executor {
  readonly #listen: Listener;
  readonly #terminator: Terminator | undefined;
  readonly #pending = new Map<number, Pending>();
  #thread!: Worker;
  #underWay!: Int32Array;
  #lastId = 0;
  #closed = false;
  #interrupted: PromiseWithResolvers<void> | undefined;
  #endReason = "";

  private constructor(listen: Listener, terminator: Terminator | undefined) {
    this.#listen = listen;
    this.#terminator = terminator;
  }

  /** Starts the thread; the listener is told what cells do. */
  static async start(listen: Listener): Promise<Executor> {
    const executor = new Executor(listen, await Terminator.open());
    await executor.#start();
    return executor;
  }

  /** Runs a cell; never rejects. */
  async execute(execution: Execution): Promise<ExecuteResult> {
    const id = ++this.#lastId;
    return await this.#call({ type: "execute", id, ...execution }) as ExecuteResult;
  }

  /** Finds names for the cursor. */
  async complete(code: string, position: number): Promise<Completion | undefined> {
    const id = ++this.#lastId;
    const call = { type: "complete", id, code, position, detail: 0 } as const;
    return await this.#call(call) as Completion | undefined;
  }

  /** Describes what is at the cursor. */
  async inspect(code: string, position: number, detail: number): Promise<MimeBundle | undefined> {
    const id = ++this.#lastId;
    const call = { type: "inspect", id, code, position, detail } as const;
    return await this.#call(call) as MimeBundle | undefined;
  }

  /** Answers what a cell asked. */
  answer(text: string): void {
    this.#post({ type: "input", text });
  }

  /** Says why what a cell asked has no answer. */
  refuse(error: string): void {
    this.#post({ type: "input", error });
  }

  /**
   * Interrupts the cell that runs. One that waits is rejected. One that computes is ended where the runtime can do that, and
   * with its thread elsewhere: then all variables are lost, and the next cell finds a new thread.
   */
  async interrupt(): Promise<void> {
    if (this.#interrupted !== undefined) return await this.#interrupted.promise;
    const interrupted = this.#interrupted = Promise.withResolvers<void>();
    this.#post({ type: "interrupt" });
    const ended = await this.#within(this.#terminator ? GRACE_MS : GRACE_BEFORE_END_MS) ||
      await this.#terminate();
    if (!ended) {
      this.#endReason =
        "The cell was interrupted while it computed. This runtime can only end its " +
        "thread: all variables are lost";
      await this.#thread.terminate();
      await this.#within(GRACE_BEFORE_END_MS);
    }
    this.#interrupted = undefined;
    interrupted.resolve();
  }

  /** Ends the thread. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#terminator?.close();
    await this.#thread.terminate();
  }

  async #start(): Promise<void> {
    this.#underWay = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
    const thread = new Worker(new URL("./worker.ts", import.meta.url), {
      workerData: { underWay: this.#underWay },
      ...(this.#terminator && { execArgv: NODE_FLAGS }),
    });
    this.#thread = thread;
    const ready = Promise.withResolvers<void>();
    let failure = "";
    thread.on("message", (report: Report) => {
      if (report.type === "ready") ready.resolve();
      else if (thread === this.#thread) this.#receive(report);
    });
    thread.on("error", (error) => {
      failure = String(error);
      ready.reject(error);
      this.#ended(thread, failure);
    });
    thread.on("exit", (code) => {
      ready.reject(new Error(`The thread of the cells ended with ${code}`));
      this.#ended(
        thread,
        failure || `The thread of the cells ended (${code}): all variables are lost`,
      );
    });
    await ready.promise;
  }

  /** All calls fail that the thread has not answered, and the next ones go to a new thread. */
  #ended(thread: Worker, reason: string): void {
    if (this.#closed || thread !== this.#thread) return;
    const evalue = this.#endReason || reason;
    const ename = this.#endReason ? "Interrupted" : "ThreadEnded";
    this.#endReason = "";
    const failure: Failure = { ename, evalue, traceback: [`\x1b[31m${ename}\x1b[0m: ${evalue}`] };
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    const started = this.#start();
    started.catch(() => {}); // told by the failure of the next call
    for (const { resolve, call } of pending) {
      const value = call.type === "execute" ? { failure, expressions: {} } : undefined;
      const answer = (): void => resolve(value);
      started.then(answer, answer);
    }
    void started.then(() => this.#interrupted?.resolve(), () => {});
  }

  #receive(report: Exclude<Report, { readonly type: "ready" }>): void {
    if (report.type === "reply") {
      this.#pending.get(report.id)?.resolve(report.value);
      this.#pending.delete(report.id);
    } else if (report.type === "interrupted") {
      this.#interrupted?.resolve();
    } else {
      const underWay = this.#underWay;
      const heard = this.#listen(report);
      if (heard === undefined) release(underWay, report);
      else void heard.then(() => release(underWay, report));
    }
  }

  #call(call: ExecuteCall | CodeCall): Promise<unknown> {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    this.#pending.set(call.id, { resolve, call });
    this.#post(call);
    return promise;
  }

  #post(call: Call): void {
    this.#thread.postMessage(call);
  }

  async #terminate(): Promise<boolean> {
    for (let i = 0; i < TRIES; i++) {
      if (!this.#terminator?.terminate()) return false;
      if (await this.#within(GRACE_MS)) return true;
    }
    return false;
  }

  /** Whether the interrupt has come through. */
  async #within(ms: number): Promise<boolean> {
    const timer = Promise.withResolvers<boolean>();
    const handle = setTimeout(() => timer.resolve(false), ms);
    const done = await Promise.race([
      this.#interrupted!.promise.then(() => true),
      timer.promise,
    ]);
    clearTimeout(handle);
    return done;
  }
}
