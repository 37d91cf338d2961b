// The load-balancing broker of the guide's chapter 3, which is Simple Pirate's queue in chapter 4.

import type { Frame, MessageLike } from "../../../mod.ts";
import { WorkerBroker, type WorkerBrokerOptions } from "./broker.ts";
import { saysReady } from "./commands.ts";

/**
 * Gives the requests of REQ or DEALER clients to REQ workers that say when they are ready; who is free for longest comes
 * first. When nobody is free, requests wait where they are, and clients that send many are held back. Workers say READY as
 * one octet 1, as in Simple Pirate, or as the text `READY`, as in the guide's lbbroker.
 *
 * It does not watch its workers: a request whose worker dies has no reply, and the client asks again. Guide, chapters 3
 * and 4; docs/patterns/load_balancing.md.
 *
 * @example Three workers
 * ```ts
 * import { LazyPirateClient, LoadBalancingBroker, SimplePirateWorker } from "@wasmq/wasmq/patterns";
 *
 * const broker = new LoadBalancingBroker();
 * await broker.bind("tcp://127.0.0.1:*", "tcp://127.0.0.1:*");
 * const workers = [1, 2, 3].map((number) => {
 *   const worker = new SimplePirateWorker({ handler: ([text]) => `${number}: ${text}` });
 *   worker.connect(broker.backendEndpoint!);
 *   return worker;
 * });
 *
 * const client = new LazyPirateClient({ endpoint: broker.frontendEndpoint! });
 * for (let i = 0; i < 3; i++) {
 *   const [reply] = await client.request("hello"); // each worker in turn
 *   console.log(String(reply));
 * }
 *
 * await client.close();
 * await Promise.all(workers.map((worker) => worker.close()));
 * await broker.close();
 * ```
 */
export class LoadBalancingBroker extends WorkerBroker {
  /** Makes a broker; `bind` starts it. */
  constructor(options: WorkerBrokerOptions = {}) {
    super(options);
  }

  /** @internal */
  protected override take(message: Frame[]): void {
    const id = message[0];
    if (message.length < 3 || message[1].length > 0) {
      this.malformed("worker", id, "a REQ worker's message begins with an empty frame");
    } else if (message.length === 3 && saysReady(message[2])) {
      this.ready(this.find(id), id);
    } else {
      this.reply(this.find(id), id, message.slice(2));
    }
  }

  /** @internal */
  protected override wrap(worker: Uint8Array, request: Frame[]): MessageLike[] {
    return [worker, null, ...request];
  }

  /** @internal */
  protected override newLife(): undefined {}

  /** @internal */
  protected override usable(): boolean {
    return true;
  }
}
