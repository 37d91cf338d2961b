// What the programs of this folder share: their one option, and waiting.

// All three runtimes have Node's global.
declare const process: { readonly argv: readonly string[] };

/** True with `--forever`: the program goes on until Ctrl-C. */
export const forever: boolean = process.argv.includes("--forever");

/** Resolves after so many milliseconds. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
