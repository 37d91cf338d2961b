/**
 * Clone: a map that a server and its clients share (guide, chapter 5; CHP, RFC 12).
 *
 * @module
 */

export type { CloneAddress, CloneEndpoints } from "./address.ts";
export {
  CloneClient,
  type CloneClientEvents,
  type CloneClientOptions,
  type CloneClientSetOptions,
  type CloneClientStats,
} from "./client.ts";
export type { CloneFlow, CloneLoss } from "./link.ts";
export type { CloneProperties } from "./message.ts";
export type { CloneOptions, CloneSetOptions } from "./options.ts";
export { CloneServer } from "./server.ts";
export type { CloneServerEvents, CloneServerOptions, CloneServerStats } from "./server_options.ts";
