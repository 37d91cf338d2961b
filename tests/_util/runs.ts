// How often the fault tests of the patterns repeat each scenario.

const { process } = globalThis as unknown as {
  process: { readonly env: Readonly<Record<string, string | undefined>> };
};

/** Once in the suite; `deno task patterns` sets WASMQ_RUNS to 100. */
export const RUNS: number = Number(process.env.WASMQ_RUNS ?? 1);
