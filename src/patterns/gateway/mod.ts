// The elastic PUSH gateway.

export { PushGateway } from "./gateway.ts";
export type {
  GatewayMember,
  PushGatewayEvents,
  PushGatewayOptions,
  PushGatewayStats,
} from "./options.ts";
export type { GatewayMemberStats } from "./member.ts";
export { GatewayJob } from "./session.ts";
export {
  type GatewayHandler,
  GatewayWorker,
  type GatewayWorkerEvents,
  type GatewayWorkerOptions,
  type GatewayWorkerStats,
} from "./worker.ts";
