// The limits of Majordomo's broker: proxies, windows, queues, peers that do not read, its end, and noise.

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import {
  array,
  assert as property,
  asyncProperty,
  constantFrom,
  oneof,
  uint8Array,
} from "fast-check";
import { type Dealer, Frame } from "../../../mod.ts";
import { Emitter } from "../../../src/patterns/base/emitter.ts";
import { brokerSettings } from "../../../src/patterns/majordomo/broker_options.ts";
import { Dispatcher } from "../../../src/patterns/majordomo/dispatcher.ts";
import { drain } from "../../../src/patterns/base/drain.ts";
import { FIRST } from "../../../src/patterns/majordomo/protocol.ts";
import { assertFrames, fromHex, textsOf, utf8 } from "../../_util/bytes.ts";
import { eventually, within } from "../../_util/deadline.ts";
import { connectAs } from "../../_util/raw_zmtp.ts";
import { ask, octet, shown, SILENT, Stage, WAIT_MS } from "./stage.ts";

const stage = new Stage();
afterEach(() => stage.run());

/** Nothing comes: another message that must come is the first. */
async function hearsNext(dealer: Dealer, ...frames: (string | Uint8Array)[]): Promise<void> {
  assertFrames(await dealer.receive(), frames);
}

describe("the limits of the broker", () => {
  for (const version of ["0.1", "0.2"] as const) {
    it(`${version}: keeps what proxies put in front of a request, and shows workers one address (MDP1-09, MDP2-04)`, async () => {
      const broker = await stage.broker({ ...SILENT, requestsPerWorker: 2 });
      const worker = await stage.readyWorker(broker, "echo", "0.1");
      const client = stage.dealer(broker.lastEndpoint!, "me");
      const addresses = [];
      for (const hop of ["one", "two"]) {
        await client.send(["hop", hop, ...ask(version, "echo", hop)]);
        const message = await worker.receive();
        assertEquals(shown(message).slice(0, 3), ["", "MDPW01", "0x02"]);
        assertEquals(shown(message).slice(4), ["", hop]);
        addresses.push(message[3]);
      }
      assertNotEquals(addresses[0], addresses[1]);
      for (const [i, hop] of [[1, "two"], [0, "one"]] as const) {
        await worker.send(["", "MDPW01", octet(3), addresses[i], "", hop]);
        const reply = await client.receive();
        assertEquals(textsOf(reply).slice(0, 2), ["hop", hop]);
        assertEquals(textsOf(reply).slice(-2), ["echo", hop]);
      }
    });
  }

  it("gives a worker as many requests at a time as requestsPerWorker says, and the same to all", async () => {
    const broker = await stage.broker({ ...SILENT, requestsPerWorker: 2 });
    const workers = [
      await stage.readyWorker(broker, "echo"),
      await stage.readyWorker(broker, "echo"),
    ];
    const client = stage.dealer(broker.lastEndpoint!, "me");
    for (let i = 0; i < 5; i++) await client.send(ask("0.1", "echo", `${i}`));
    for (const [worker, bodies] of [[workers[0], ["0", "2"]], [workers[1], ["1", "3"]]] as const) {
      for (const body of bodies) assertEquals(`${(await worker.receive()).at(-1)}`, body);
    }
    assertEquals([broker.stats().inFlight, broker.stats().queued], [4, 1]);
    await workers[1].send(["", "MDPW01", octet(3), "me", "", "x"]);
    assertEquals(`${(await workers[1].receive()).at(-1)}`, "4");
  });

  it("has limits for services, workers and requests", async () => {
    const broker = await stage.broker({
      ...SILENT,
      maxServices: 2,
      maxWorkers: 1,
      maxQueuedRequests: 3,
    });
    const limits: string[] = [];
    broker.events.on("refused", ({ limit }) => limits.push(limit));
    const client = stage.dealer(broker.lastEndpoint!);
    for (const service of ["a", "a", "b", "b", "c"]) await client.send(ask("0.1", service, "x"));
    await eventually(() => limits.length === 2, WAIT_MS);
    assertEquals(limits, ["maxQueuedRequests", "maxServices"]);
    await stage.readyWorker(broker, "a");
    const second = stage.dealer(broker.lastEndpoint!);
    await second.send(["", "MDPW01", octet(1), "a"]);
    await hearsNext(second, "", "MDPW01", octet(5));
    assertEquals(limits.at(-1), "maxWorkers");
    assertEquals(broker.stats().refused, 3);
  });

  it("a client that never reads holds nobody up", async () => {
    const broker = await stage.broker({
      ...SILENT,
      requestsPerWorker: 10,
      socketOptions: {},
    });
    stage.worker(broker.lastEndpoint!, { handler: () => new Uint8Array(8_000) });
    const deaf = await connectAs(broker.lastEndpoint!, "DEALER");
    deaf.pause();
    const message = fromHex("01 00 01 06 4d4450433031 01 04 6563686f 00 01 78");
    const client = stage.client(broker.lastEndpoint!);
    for (let i = 0; i < 3000; i++) deaf.send(message);
    await eventually(() => broker.stats().undelivered > 0, WAIT_MS, "replies are dropped");
    assertEquals((await client.request("echo", "hi"))[0].length, 8_000);
    deaf.destroy();
  });

  it("tells its workers when it is closed (MDP1-06)", async () => {
    const broker = await stage.broker();
    const worker = await stage.readyWorker(broker, "echo", "0.2");
    await within(broker.close(), WAIT_MS, "the broker closes");
    await hearsNext(worker, "MDPW02", octet(6));
    assert(broker.closed);
  });

  it("survives any frames, and serves on", async () => {
    const broker = await stage.broker({ ...SILENT, maxServices: 100_000 });
    const pieces = constantFrom(
      ...["", "MDPC01", "MDPW01", "MDPC02", "MDPW02", "echo", "mmi.service"].map(utf8),
      ...[0, 1, 2, 3, 4, 5, 6, 7].map(octet),
    );
    const frames = array(oneof({ weight: 5, arbitrary: pieces }, uint8Array({ maxLength: 8 })), {
      minLength: 1,
      maxLength: 8,
    });
    stage.worker(broker.lastEndpoint!);
    const client = stage.client(broker.lastEndpoint!, { envelopes: true });
    let peer = stage.dealer(broker.lastEndpoint!);
    const talk = array(frames, { minLength: 1, maxLength: 10 });
    await property(
      asyncProperty(talk, async (messages) => {
        for (const message of messages) await peer.send(message);
        while (peer.tryReceive());
      }),
      { numRuns: 300 },
    );
    await peer.close();
    peer = stage.dealer(broker.lastEndpoint!);
    // The noise may have given it workers that do not work.
    await eventually(async () => {
      const reply = await client.request("echo", "hi", { timeout: 500, retries: 0 }).catch(
        () => [],
      );
      return `${reply}` === "hi";
    }, WAIT_MS);
    assert(broker.stats().malformed > 0);
  });

  it("loses thousands of workers at once that are unreachable, and keeps the request", () => {
    let reachable = true;
    const settings = brokerSettings({ maxWorkers: 50_000 });
    const dispatcher = new Dispatcher(settings, new Emitter(), () => reachable);
    const frame = (text: string) => new Frame(utf8(text));
    for (let i = 0; i < 20_000; i++) dispatcher.register(frame(`w${i}`), frame("echo"), FIRST);
    reachable = false;
    const request = ["me", "", "MDPC01", "echo", "hi"].map(frame);
    dispatcher.request(request, 1, 4, FIRST);
    const { workers, lost, queued, inFlight } = dispatcher.stats();
    assertEquals([workers, lost, queued, inFlight], [0, 20_000, 1, 0]);
  });

  it("takes no further message of a socket that is closed by what one leads to", async () => {
    const socket = {
      closed: false,
      receive: () => Promise.resolve([]),
      tryReceive() {
        if (socket.closed) throw new Error("closed");
        return [];
      },
    };
    let taken = 0;
    await drain(socket as unknown as Parameters<typeof drain>[0], () => {
      socket.closed = ++taken === 3;
    });
    assertEquals(taken, 3);
  });
});
