// Titanic (RFC 9).

export {
  TitanicClient,
  type TitanicClientEvents,
  type TitanicClientOptions,
  type TitanicClientStats,
  TitanicError,
  type TitanicWaitOptions,
} from "./client.ts";
export { FileStore } from "./files.ts";
export type { StoredRequest, TitanicStore } from "./store.ts";
export type { TitanicEvents, TitanicOptions, TitanicStats } from "./options.ts";
export { Titanic } from "./titanic.ts";
