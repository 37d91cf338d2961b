/** Heartbeats of the processes that are killed: quick, but patient enough for a busy machine. */
export const QUICK = { heartbeatInterval: 50, heartbeatLiveness: 14 } as const;
