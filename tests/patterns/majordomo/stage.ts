// Brokers, workers and clients of one test, and peers that say what they are told to.

import {
  MajordomoBroker,
  type MajordomoBrokerOptions,
  MajordomoClient,
  type MajordomoClientOptions,
  MajordomoWorker,
  type MajordomoWorkerOptions,
} from "../../../src/patterns/majordomo/mod.ts";
import { Dealer, type Frame, Request, Router } from "../../../mod.ts";
import { toHex } from "../../_util/bytes.ts";
import { Cleanup } from "../../_util/cleanup.ts";
import { eventually } from "../../_util/deadline.ts";
import { ANY_PORT } from "../../_util/ports.ts";

/** How long something may take that must happen. */
export const WAIT_MS = 20_000;
/** No heartbeat is sent in the time of a test. */
export const SILENT = { heartbeatInterval: 100_000 } as const;
/** Heartbeats come soon, and a busy machine is not taken for dead. */
export const LIVELY = { heartbeatInterval: 50, heartbeatLiveness: 20 } as const;

const TIMES = { receiveTimeout: WAIT_MS, sendTimeout: WAIT_MS, linger: 0, reconnectInterval: 10 };

/** One octet. */
export function octet(value: number): Uint8Array {
  return Uint8Array.of(value);
}

/** What one test opens. */
export class Stage extends Cleanup {
  async broker(options: MajordomoBrokerOptions = SILENT): Promise<MajordomoBroker> {
    const broker = this.add(new MajordomoBroker(options));
    await broker.bind(ANY_PORT);
    return broker;
  }

  worker(
    endpoint: string,
    options: Partial<MajordomoWorkerOptions> = {},
  ): MajordomoWorker {
    const handler = (body: Frame[]) => body;
    return this.add(
      new MajordomoWorker({ endpoint, service: "echo", handler, ...SILENT, ...options }),
    );
  }

  client(endpoint: string, options: Partial<MajordomoClientOptions> = {}): MajordomoClient {
    return this.add(new MajordomoClient({ endpoint, timeout: WAIT_MS, ...options }));
  }

  /** A socket that says what it is told to. */
  dealer(endpoint: string, routingId: string | null = null): Dealer {
    const dealer = this.add(new Dealer({ ...TIMES, routingId }));
    dealer.connect(endpoint);
    return dealer;
  }

  request(endpoint: string): Request {
    const request = this.add(new Request(TIMES));
    request.connect(endpoint);
    return request;
  }

  /** A broker that says what it is told to. */
  async router(): Promise<Router> {
    const router = this.add(new Router(TIMES));
    await router.bind(ANY_PORT);
    return router;
  }

  /** A worker that says what it is told to, and is known to the broker. */
  async readyWorker(
    broker: MajordomoBroker,
    service: string,
    version: "0.1" | "0.2" = "0.1",
  ): Promise<Dealer> {
    const { workers } = broker.stats();
    const worker = this.dealer(broker.lastEndpoint!);
    await worker.send([...opening(version), octet(1), service]);
    await eventually(() => broker.stats().workers > workers, WAIT_MS, "the worker is ready");
    return worker;
  }
}

/** What is in front of a worker's command. */
export function opening(version: "0.1" | "0.2"): string[] {
  return version === "0.1" ? ["", "MDPW01"] : ["MDPW02"];
}

/** Frames as text, where they are printable, or as hexadecimal digits. */
export function shown(frames: readonly Uint8Array[]): string[] {
  return frames.map((frame) => {
    const printable = frame.length > 0 && frame.every((value) => value >= 0x20 && value < 0x7f);
    return printable
      ? String.fromCharCode(...frame)
      : frame.length === 0
      ? ""
      : `0x${toHex(frame)}`;
  });
}

/** A client's request. */
export function ask(
  version: "0.1" | "0.2",
  service: string,
  ...body: string[]
): (string | Uint8Array)[] {
  return version === "0.1"
    ? ["", "MDPC01", service, ...body]
    : ["MDPC02", octet(1), service, ...body];
}
