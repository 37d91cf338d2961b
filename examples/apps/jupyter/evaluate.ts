// In the thread of the cells: runs scripts in the global scope.

import { makeRoom } from "./cell_globals.ts";
import type { Script } from "./prepare.ts";
import type { Place } from "./traceback.ts";

/** How a script ended. */
export interface Outcome {
  /** Its last value, or what it threw. */
  readonly value: unknown;
  readonly threw: boolean;
  /** Where the script could not be read. */
  readonly place?: Place | undefined;
}

interface Compiled {
  readonly exceptionDetails?: { readonly lineNumber: number; readonly columnNumber: number };
}

interface Session {
  connect(): void;
  disconnect(): void;
  post(
    method: string,
    parameters: object,
    callback: (error: Error | null, result: unknown) => void,
  ): void;
}

/**
 * Runs a script in a turn of its own: when it is terminated from outside, nothing of the kernel is torn off with it. The
 * promise is then never settled.
 */
export async function evaluate(script: Script, name: string): Promise<Outcome> {
  makeRoom(script.names, script.waits);
  const { promise, resolve } = Promise.withResolvers<{ value: unknown; threw: boolean }>();
  setImmediate(() => {
    try {
      resolve({ value: (0, eval)(`${script.code}\n//# sourceURL=${name}`), threw: false });
    } catch (value) {
      resolve({ value, threw: true });
    }
  });
  const { value, threw } = await promise;
  if (threw) return { value, threw, place: await placeOf(value, script.code) };
  // A value by itself may be a promise: nobody wants it awaited who did not write so.
  if (!script.waits) return { value, threw };
  try {
    return { value: (await (value as Promise<unknown[]>))[0], threw };
  } catch (error) {
    return { value: error, threw: true };
  }
}

/** Where a script could not be read: errors do not say, but V8's inspector does. No port is opened. */
async function placeOf(error: unknown, code: string): Promise<Place | undefined> {
  if (!(error instanceof SyntaxError) || /In\[\d+\]:/.test(String(error.stack))) return undefined;
  if ("Bun" in globalThis) return undefined;
  const { Session } = await import("node:inspector") as unknown as { Session: new () => Session };
  const session = new Session();
  session.connect();
  session.post("Runtime.enable", {}, () => {});
  const parameters = { expression: code, sourceURL: "", persistScript: false };
  const compiled = await new Promise<Compiled>((resolve) => {
    session.post(
      "Runtime.compileScript",
      parameters,
      (failure, result) => resolve(failure ? {} : result as Compiled),
    );
  });
  session.disconnect();
  const { lineNumber, columnNumber } = compiled.exceptionDetails ?? {};
  if (lineNumber === undefined || columnNumber === undefined) return undefined;
  return { line: lineNumber + 1, column: columnNumber + 1 };
}
