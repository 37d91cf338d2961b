// The Pirate patterns of the guide's chapter 4, and the load-balancing broker of chapter 3 that they grow from.

export { LoadBalancingBroker } from "./balancer.ts";
export {
  WorkerBroker,
  type WorkerBrokerEvents,
  type WorkerBrokerOptions,
  type WorkerBrokerStats,
} from "./broker.ts";
export {
  LazyPirateClient,
  type LazyPirateClientEvents,
  type LazyPirateClientOptions,
  type LazyPirateClientStats,
} from "./client.ts";
export type { PirateHandler, PirateRequestInfo } from "./handler.ts";
export { ParanoidPirateQueue, type ParanoidPirateQueueOptions } from "./queue.ts";
export {
  ParanoidPirateWorker,
  type ParanoidPirateWorkerEvents,
  type ParanoidPirateWorkerOptions,
  type ParanoidPirateWorkerStats,
} from "./paranoid_worker.ts";
export {
  SimplePirateWorker,
  type SimplePirateWorkerEvents,
  type SimplePirateWorkerOptions,
  type SimplePirateWorkerStats,
} from "./simple_worker.ts";
