// Takes the types out of a cell, with what the runtime has for that: no compiler is needed.

import * as nodeModule from "node:module";

type Strip = (code: string, options: { mode: "strip" | "transform" }) => string;

interface BunGlobal {
  readonly Transpiler: new (options: object) => { transformSync(code: string): string };
}

const strip = (nodeModule as { stripTypeScriptTypes?: Strip }).stripTypeScriptTypes;
const { Bun } = globalThis as { Bun?: BunGlobal };

/** JavaScript of a TypeScript cell, with the same lines where it can be; undefined when it is neither. */
export function stripTypes(code: string): string | undefined {
  if (strip === undefined) return bunStrip(code);
  try {
    return quietly(() => strip(code, { mode: "strip" }));
  } catch {
    // Enums, namespaces and parameter properties have to be written anew: lines move.
  }
  try {
    return quietly(() => strip(code, { mode: "transform" }));
  } catch {
    return undefined;
  }
}

function bunStrip(code: string): string | undefined {
  try {
    return new Bun!.Transpiler({ loader: "ts", target: "bun", deadCodeElimination: false })
      .transformSync(code);
  } catch {
    return undefined;
  }
}

/** Node calls it experimental, once, on stderr: that is no news for who writes a cell. */
function quietly<T>(work: () => T): T {
  const { process } = globalThis as unknown as { process: { emitWarning: unknown } };
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    return work();
  } finally {
    process.emitWarning = emitWarning;
  }
}
