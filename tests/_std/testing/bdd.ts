/**
 * The part of `@std/testing/bdd` that the tests use, on top of `node:test`, which Deno, Bun and
 * Node all run. JSR's own package can take this one's place.
 *
 * It evens out what the three do differently: every test and hook may take a minute (Bun's own
 * limit is 5 s), the hooks around each test run here (Deno ignores their failures), and an error
 * that nobody caught fails the running test (Deno would drop it).
 *
 * @module
 */

/** The body of a test or hook. */
export type TestFunction = () => void | Promise<void>;

/** What may be said about a test or suite besides its name and body. */
export interface TestOptions {
  /** Do not run it. */
  readonly ignore?: boolean;
}

/** A test or suite in one object. */
export interface TestDefinition<F> extends TestOptions {
  readonly name: string;
  readonly fn: F;
}

/** The three ways to define a test or suite. */
export interface Define<F> {
  (name: string, fn: F): void;
  (name: string, options: TestOptions, fn: F): void;
  (definition: TestDefinition<F>): void;
}

/** As {@linkcode Define}, with a variant that does not run what it defines. */
export interface DefineOrSkip<F> extends Define<F> {
  /** Defines without running. */
  readonly ignore: Define<F>;
  /** Defines without running. */
  readonly skip: Define<F>;
}

/** Registers a hook. */
export type DefineHook = (fn: TestFunction) => void;

interface Runner {
  describe(name: string, options: { skip: boolean }, fn: () => void): unknown;
  it(name: string, options: { skip: boolean; timeout: number }, fn: TestFunction): unknown;
  before(fn: TestFunction, options: { timeout: number }): void;
  after(fn: TestFunction, options: { timeout: number }): void;
  beforeEach(fn: TestFunction): void;
  afterEach(fn: TestFunction): void;
}

interface Suite {
  readonly beforeEach: TestFunction[];
  readonly afterEach: TestFunction[];
}

const TIMEOUT_MS = 60_000;
const ON_BUN = "Bun" in globalThis;
const ON_DENO = "Deno" in globalThis;
const { process } = globalThis as unknown as {
  process: { exitCode?: number; getBuiltinModule(name: "node:test"): Runner };
};
// An import statement would ask for @types/node when this file is checked.
const runner = process.getBuiltinModule("node:test");

/** The suites being defined, outermost first; the first is the file. */
let suites: readonly Suite[] = [newSuite()];

const uncaught: unknown[] = [];

await raiseBunHookTimeout();
collectUncaughtOnDeno();

/** Defines a suite; tests, hooks and suites defined by `fn` belong to it. */
export const describe: DefineOrSkip<() => void> = orSkip((definition) => {
  // Node calls the body at once, Deno and Bun after the outer body has ended.
  const around = [...suites, newSuite()];
  runner.describe(definition.name, { skip: definition.ignore ?? false }, () => {
    const before = suites;
    suites = around;
    try {
      definition.fn();
    } finally {
      suites = before;
    }
  });
});

/** Defines a test. */
export const it: DefineOrSkip<TestFunction> = orSkip((definition) => {
  const around = suites;
  const options = { skip: definition.ignore ?? false, timeout: TIMEOUT_MS };
  runner.it(definition.name, options, () => runTest(definition.fn, around));
});

/** Alias of {@linkcode it}. */
export const test: DefineOrSkip<TestFunction> = it;

/** Runs once before the suite's tests. */
export const beforeAll: DefineHook = (fn) => runner.before(fn, { timeout: TIMEOUT_MS });

/** Alias of {@linkcode beforeAll}. */
export const before: DefineHook = beforeAll;

/** Runs once after the suite's tests. */
export const afterAll: DefineHook = (fn) =>
  runner.after(() => exitWithFailure(fn), { timeout: TIMEOUT_MS });

/** Alias of {@linkcode afterAll}. */
export const after: DefineHook = afterAll;

/** Runs before each test of the suite, after those of the suites around it. */
export const beforeEach: DefineHook = (fn) => addHook("beforeEach", fn);

/** Runs after each test of the suite, before those of the suites around it. */
export const afterEach: DefineHook = (fn) => addHook("afterEach", fn);

function newSuite(): Suite {
  return { beforeEach: [], afterEach: [] };
}

// `bun test` shares this module between files, so a file's own hooks are left to Bun.
function addHook(kind: "beforeEach" | "afterEach", fn: TestFunction): void {
  if (ON_BUN && suites.length === 1) runner[kind](fn);
  else suites[suites.length - 1]![kind].push(fn);
}

function orSkip<F>(
  define: (definition: TestDefinition<F>) => void,
): DefineOrSkip<F> {
  const variant = (forced: TestOptions): Define<F> =>
  (
    first: string | TestDefinition<F>,
    second?: TestOptions | F,
    third?: F,
  ): void => {
    if (typeof first !== "string") return define({ ...first, ...forced });
    const fn = typeof second === "function" ? second as F : third!;
    define({
      ...(typeof second === "object" ? second : {}),
      ...forced,
      name: first,
      fn,
    });
  };
  const skip = variant({ ignore: true });
  return Object.assign(variant({}), { ignore: skip, skip });
}

async function runTest(
  fn: TestFunction,
  around: readonly Suite[],
): Promise<void> {
  uncaught.length = 0;
  const errors: unknown[] = [];
  const attempt = async (step: TestFunction): Promise<void> => {
    try {
      await step();
    } catch (error) {
      errors.push(error);
    }
  };
  for (const suite of around) {
    for (const hook of suite.beforeEach) {
      if (errors.length === 0) await attempt(hook);
    }
  }
  if (errors.length === 0) await attempt(fn);
  for (const suite of around.toReversed()) {
    for (const hook of suite.afterEach) await attempt(hook);
  }
  errors.push(...uncaught.splice(0));
  if (errors.length === 1) throw errors[0];
  if (errors.length > 1) {
    throw new AggregateError(errors, describeErrors(errors));
  }
}

function describeErrors(errors: readonly unknown[]): string {
  return errors.map((error) => error instanceof Error ? error.stack : String(error)).join("\n");
}

// Node passes a suite whose last hook fails; only the exit code tells the runner then.
async function exitWithFailure(fn: TestFunction): Promise<void> {
  try {
    await fn();
  } catch (error) {
    const { process } = globalThis as unknown as {
      process: { exitCode?: number };
    };
    if (!ON_DENO) process.exitCode = 1;
    throw error;
  }
}

// `bun test` gives hooks its own 5 s whatever node:test is told.
async function raiseBunHookTimeout(): Promise<void> {
  if (!ON_BUN) return;
  const name = "bun:test"; // a constant in the call would make Deno and Node look for it
  const bunTest = await import(name) as { setDefaultTimeout(ms: number): void };
  bunTest.setDefaultTimeout(TIMEOUT_MS);
}

function collectUncaughtOnDeno(): void {
  if (!ON_DENO) return;
  globalThis.addEventListener("error", (event) => {
    uncaught.push((event as ErrorEvent).error);
  });
}
