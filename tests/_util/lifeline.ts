// For programs that tests start as processes of their own.

const { process } = globalThis as unknown as {
  process: {
    readonly stdin: { on(event: "end", listener: () => void): void; resume(): void };
    exit(code: number): never;
  };
};

/** Ends this process when the test's process is gone, however that ended. From now on it does not end by itself. */
export function endWithTest(): void {
  process.stdin.on("end", () => process.exit(0));
  process.stdin.resume();
}
