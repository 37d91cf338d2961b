// What the core exports. No imports, no managed objects: numbers in, numbers out, tables of integers in memory.

export { alloc, free, memoryLimit } from "./memory";
export { scan } from "./scanner";
export {
  outboxAbort,
  outboxFree,
  outboxNew,
  outboxPush,
  outboxPushReference,
  outboxRelease,
  outboxRewind,
  outboxTake,
  outboxTrim,
} from "./outbox";
