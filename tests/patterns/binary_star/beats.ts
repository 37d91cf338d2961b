/** Quick enough for tests, patient enough for a busy machine. */
export const BEATS = { heartbeatInterval: 50, heartbeatLiveness: 12 } as const;

/** Milliseconds of silence after which a server is given up. */
export const PATIENCE: number = BEATS.heartbeatInterval * BEATS.heartbeatLiveness;
