// A turn of the event loop.

const { process } = globalThis as unknown as {
  process: {
    getBuiltinModule(name: "node:timers"): { setImmediate(call: () => void): void };
  };
};
const { setImmediate } = process.getBuiltinModule("node:timers");

/** Resolves when the event loop has come round. */
export function moment(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
