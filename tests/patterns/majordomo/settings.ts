// Times of the fault tests, the same in all processes.

/** Silence is noticed in less than a second, and a busy machine is not taken for dead. */
export const BEATS = { heartbeatInterval: 100, heartbeatLiveness: 8 } as const;

/** A client that tries for half a minute. */
export const TRIES = { timeout: 300, retries: 100 } as const;
