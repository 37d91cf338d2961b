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
export { boxMatches, boxTag, boxUpdate, secretboxOpen, secretboxSeal } from "./box";
export { curveBegin, curveLeft, curveOpen, curveOpened, curveOpening, curveSeal } from "./curve";
export { hsalsa20 } from "./salsa20";
export { x25519 } from "./x25519";
export { webSocketKeys, webSocketMask, webSocketRead, webSocketWrite } from "./websocket";
