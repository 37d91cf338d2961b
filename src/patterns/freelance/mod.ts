// Freelance: clients that talk to several servers directly, without a broker (guide, chapter 4; RFC 10).

export { FailoverClient } from "./failover_client.ts";
export type {
  FailoverClientEvents,
  FailoverClientOptions,
  FailoverClientStats,
} from "./failover_client.ts";
export { FreelanceClient } from "./freelance_client.ts";
export type {
  FreelanceClientEvents,
  FreelanceClientOptions,
  FreelanceClientStats,
} from "./freelance_options.ts";
export type { FreelanceServerInfo } from "./tracked_server.ts";
export { FreelanceServer, ShotgunServer } from "./servers.ts";
export type { FreelanceBindOptions } from "./servers.ts";
export { FreelanceServing } from "./serving.ts";
export type {
  FreelanceHandler,
  FreelanceRequestInfo,
  FreelanceServerEvents,
  FreelanceServerOptions,
  FreelanceServerStats,
} from "./serving.ts";
export type { FreelanceRequestOptions } from "./requests.ts";
export { ShotgunClient } from "./shotgun_client.ts";
export type {
  ShotgunClientEvents,
  ShotgunClientOptions,
  ShotgunClientStats,
} from "./shotgun_client.ts";
