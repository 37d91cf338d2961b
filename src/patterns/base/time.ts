// The only file of the patterns with timers.

/** Cancels what it was given for; harmless when that has happened already. */
export type Cancel = () => void;

/** Milliseconds of a clock that never goes back. */
export function now(): number {
  return performance.now();
}

/** The time of day, in milliseconds since 1970: for what outlives the process. */
export function wallClock(): number {
  return Date.now();
}

/** Calls once after `ms`. */
export function after(ms: number, call: () => void): Cancel {
  const timer = setTimeout(call, ms);
  return () => clearTimeout(timer);
}

/** Calls again and again, `ms` after the last time. */
export function every(ms: number, call: () => void): Cancel {
  const timer = setInterval(call, ms);
  return () => clearInterval(timer);
}

/** Resolves after `ms`, or as soon as the signal is aborted: never rejects. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const end = () => {
      cancel();
      signal?.removeEventListener("abort", end);
      resolve();
    };
    const cancel = after(ms, end);
    signal?.addEventListener("abort", end);
  });
}
