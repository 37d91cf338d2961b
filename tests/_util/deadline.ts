// Waiting in tests: always for something, never longer than said.

const POLL_MS = 5;

/** Resolves after `ms`; for waiting on the outside world only. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Waits until the condition holds; fails after `ms`, naming what did not come true. */
export async function eventually(
  condition: () => boolean | Promise<boolean>,
  ms = 5_000,
  what: string = String(condition),
): Promise<void> {
  const deadline = performance.now() + ms;
  while (!await condition()) {
    if (performance.now() > deadline) throw new Error(`Did not hold within ${ms} ms: ${what}`);
    await pause(POLL_MS);
  }
}

/** The promise's outcome; fails if it takes longer than `ms`. */
export async function within<T>(promise: PromiseLike<T>, ms: number, what: string): Promise<T> {
  const timer = Promise.withResolvers<never>();
  const handle = setTimeout(
    () => timer.reject(new Error(`Took longer than ${ms} ms: ${what}`)),
    ms,
  );
  try {
    return await Promise.race([promise, timer.promise]);
  } finally {
    clearTimeout(handle);
  }
}

/** Fails if the promise settles within `ms`. */
export async function staysPending(
  promise: PromiseLike<unknown>,
  ms: number,
  what: string,
): Promise<void> {
  const pending = Symbol();
  const outcome = await Promise.race([promise, pause(ms).then(() => pending)]);
  if (outcome !== pending) throw new Error(`Settled within ${ms} ms: ${what}`);
}
