/**
 * Federation of brokers: each cluster has clients, workers and a broker, and gives work to other clusters only when no
 * worker of its own is free. Chapter 3 of the guide, "inter-broker routing".
 *
 * @module
 */

export { FederatedBroker } from "./broker.ts";
export {
  FederatedClient,
  type FederatedClientEvents,
  type FederatedClientOptions,
  type FederatedClientStats,
} from "./client.ts";
export type {
  BrokerAddresses,
  FederatedBrokerEvents,
  FederatedBrokerOptions,
  FederatedBrokerStats,
  PeerCluster,
  PeerFigures,
} from "./types.ts";
export {
  type FederatedHandler,
  type FederatedRequestInfo,
  FederatedWorker,
  type FederatedWorkerEvents,
  type FederatedWorkerOptions,
  type FederatedWorkerStats,
} from "./worker.ts";
