/**
 * Majordomo: services by name, behind a broker, with heartbeats (MDP 0.1 and 0.2, RFC 7 and 18; MMI, RFC 8).
 *
 * @module
 */

export { MajordomoBroker } from "./broker.ts";
export type {
  MajordomoBrokerEvents,
  MajordomoBrokerOptions,
  MajordomoBrokerStats,
  MajordomoWorkerLostReason,
} from "./broker_options.ts";
export { MajordomoClient } from "./client.ts";
export type {
  MajordomoClientEvents,
  MajordomoClientOptions,
  MajordomoClientStats,
  MajordomoPart,
  MajordomoRequestOptions,
} from "./client_options.ts";
export {
  MajordomoPipeline,
  type MajordomoPipelineEvents,
  type MajordomoPipelineOptions,
  type MajordomoReply,
} from "./pipeline.ts";
export type { MajordomoVersion } from "./protocol.ts";
export { MajordomoWorker } from "./worker.ts";
export type {
  MajordomoBrokerLostReason,
  MajordomoHandler,
  MajordomoRequestInfo,
  MajordomoWorkerEvents,
  MajordomoWorkerOptions,
  MajordomoWorkerStats,
} from "./worker_options.ts";
