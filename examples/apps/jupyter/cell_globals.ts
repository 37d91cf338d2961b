// In the thread of the cells: the globals that cells find, and console output on its way to clients.

import nodeConsole from "node:console";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import type { StreamEvent } from "./calls.ts";
import type { Output } from "./output.ts";
import { IMPORT, IMPORT_META } from "./transform.ts";

/** Asks the client's user; rejects when nobody can be asked. */
export type Ask = (prompt: string, password: boolean) => Promise<string>;

interface Writing {
  write(chunk: string | Uint8Array): boolean;
}

interface DenoStream {
  write(octets: Uint8Array): Promise<number>;
  writeSync(octets: Uint8Array): number;
}

/** Defines globals that cells may replace. */
export function defineGlobals(globals: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(globals)) {
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
  }
}

/**
 * Makes room for the names that a script declares, where a global of the runtime cannot be written; with `all`, for those
 * that are not there as well.
 */
export function makeRoom(names: readonly string[], all: boolean): void {
  for (const name of names) {
    let owner: object | null = globalThis;
    while (owner !== null && !Object.hasOwn(owner, name)) owner = Object.getPrototypeOf(owner);
    const found = owner && Object.getOwnPropertyDescriptor(owner, name);
    if (found ? found.writable || owner === globalThis && !found.configurable : !all) continue;
    const value = found && Reflect.get(globalThis, name);
    Object.defineProperty(globalThis, name, {
      value,
      writable: true,
      configurable: true,
      enumerable: true,
    });
  }
}

/** Node's class, which not every set of types has. */
const { Console: OwnConsole } = nodeConsole as unknown as {
  Console: new (options: object) => Console;
};

/** What is printed goes to the clients: by the console, and by the runtime's standard streams. */
export function captureConsole(output: Output, clear: () => void): void {
  const stdout = writing(output, "stdout");
  const stderr = writing(output, "stderr");
  const console = new OwnConsole({ stdout, stderr, colorMode: false, ignoreErrors: false });
  console.clear = clear;
  // deno-lint-ignore no-process-global
  const standard = process as unknown as { stdout: Writing; stderr: Writing };
  standard.stdout.write = stdout.write;
  standard.stderr.write = stderr.write;
  const { Deno } = globalThis as unknown as { Deno?: { stdout: DenoStream; stderr: DenoStream } };
  if (Deno !== undefined) {
    captureStream(Deno.stdout, stdout);
    captureStream(Deno.stderr, stderr);
  }
  defineGlobals({ console, alert: (text: unknown = "Alert") => console.log(text) });
}

/** `prompt`, `input`, `password`, `confirm`: promises here, as the answer comes from far. */
export function askingGlobals(ask: Ask): Readonly<Record<string, unknown>> {
  const input = (text: unknown = ""): Promise<string> => ask(String(text), false);
  return {
    input,
    prompt: input,
    password: (text: unknown = "") => ask(String(text), true),
    confirm: async (text: unknown = "Confirm") => /^y/i.test(await input(`${text} [y/N] `)),
  };
}

/** `import(…)` and `import.meta`, as if the cell were a file in the working directory. */
export function importGlobals(): Readonly<Record<string, unknown>> {
  // deno-lint-ignore no-process-global
  const here = pathToFileURL(`${process.cwd()}/notebook.ts`).href;
  const resolve = (specifier: string): string => {
    if (/^\.{0,2}\//.test(specifier)) return new URL(specifier, here).href;
    if (/^[a-z][a-z\d+.-]*:/i.test(specifier)) return specifier;
    try {
      const path = createRequire(here).resolve(specifier);
      return path.startsWith("/") ? pathToFileURL(path).href : path;
    } catch {
      return specifier;
    }
  };
  return {
    [IMPORT]: (specifier: unknown, options?: ImportCallOptions) =>
      import(resolve(String(specifier)), options),
    [IMPORT_META]: { url: here, resolve, main: true },
    require: createRequire(here),
  };
}

function captureStream(stream: DenoStream, { write }: Writing): void {
  stream.writeSync = (octets) => (write(octets), octets.length);
  stream.write = (octets) => Promise.resolve(stream.writeSync(octets));
}

/** As much of a stream as the console wants when it does not care for errors. */
function writing(output: Output, name: StreamEvent["name"]): Writing {
  const decoder = new TextDecoder();
  const write = (
    chunk: string | Uint8Array,
    encoding?: unknown,
    done?: unknown,
  ): boolean => {
    const text = typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true });
    output.write(name, text);
    const callback = typeof encoding === "function" ? encoding : done;
    if (typeof callback === "function") queueMicrotask(() => callback());
    return true;
  };
  return { write };
}
