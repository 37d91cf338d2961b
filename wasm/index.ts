// What the core exports. No imports, no managed objects: numbers in, numbers out, tables of integers in memory.

export { alloc, free, memoryLimit } from "./memory";
export { filter } from "./filter";
export { scan } from "./scanner";
export {
  outboxAbort,
  outboxClear,
  outboxFree,
  outboxNew,
  outboxPush,
  outboxPushMessage,
  outboxPushReference,
  outboxRelease,
  outboxRewind,
  outboxTake,
  outboxTrim,
} from "./outbox";
export {
  topicsAdd,
  topicsAll,
  topicsCount,
  topicsFree,
  topicsLongest,
  topicsMatch,
  topicsNew,
  topicsNext,
  topicsRead,
  topicsRemove,
} from "./topics";
export {
  fanAdd,
  fanFree,
  fanJoin,
  fanLeave,
  fanLongest,
  fanNew,
  fanPop,
  fanRemove,
  fanTopics,
  publish,
} from "./fan_out";
