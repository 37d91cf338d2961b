// The worker of Majordomo: what it says to a broker, what becomes of handlers, and how it comes back.

import { assert, assertEquals, assertInstanceOf, assertNotEquals } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import {
  array,
  assert as property,
  asyncProperty,
  constantFrom,
  oneof,
  uint8Array,
} from "fast-check";
import type { Router } from "../../../mod.ts";
import type { MajordomoWorkerOptions } from "../../../src/patterns/majordomo/mod.ts";
import { MajordomoWorker } from "../../../src/patterns/majordomo/mod.ts";
import { assertFrames, fromHex, textsOf, toHex, utf8 } from "../../_util/bytes.ts";
import { eventually, pause, within } from "../../_util/deadline.ts";
import { ANY_PORT } from "../../_util/ports.ts";
import { RawServer } from "../../_util/raw_peer.ts";
import { shakeHands } from "../../_util/raw_zmtp.ts";
import { assertSays, failure } from "../../_util/rejection.ts";
import { octet, opening, SILENT, Stage, WAIT_MS } from "./stage.ts";

const stage = new Stage();
afterEach(() => stage.run());

/** The next message that is no heartbeat, without the id, which comes apart. */
async function hear(router: Router, version: "0.1" | "0.2"): Promise<[Uint8Array, Uint8Array[]]> {
  for (;;) {
    const [id, ...frames] = await router.receive();
    if (frames.length > opening(version).length + 1) return [id, frames];
    if (frames.at(-1)![0] !== (version === "0.1" ? 4 : 5)) return [id, frames];
  }
}

describe("the worker", () => {
  it("says READY, and what it is asked, octet for octet: GV-MDP1-02, GV-MDP1-03, GV-MDP1-04, GV-MDP1-05, GV-MDP2-03", async () => {
    const server = await RawServer.listen();
    try {
      stage.worker(server.endpoint);
      const first = await server.accept();
      await shakeHands(first, "ROUTER");
      const expects = async (connection: typeof first, hex: string) => {
        const octets = fromHex(hex);
        assertEquals(toHex(await connection.take(octets.length)), toHex(octets));
      };
      await expects(first, "01 00 01 06 4d4450573031 01 01 01 00 04 6563686f");
      first.send(
        fromHex("01 00 01 06 4d4450573031 01 01 02 01 05 0000000001 01 00 00 05 48656c6c6f"),
      );
      await expects(
        first,
        "01 00 01 06 4d4450573031 01 01 03 01 05 0000000001 01 00 00 05 48656c6c6f",
      );
      const lively = stage.worker(server.endpoint, { heartbeatInterval: 50, version: "0.2" });
      const second = await server.accept();
      await shakeHands(second, "ROUTER");
      await expects(second, "01 06 4d4450573032 01 01 01 00 04 6563686f");
      await expects(second, "01 06 4d4450573032 00 01 05");
      await lively.close();
      const third = stage.worker(server.endpoint);
      const connection = await server.accept();
      await shakeHands(connection, "ROUTER");
      await expects(connection, "01 00 01 06 4d4450573031 01 01 01 00 04 6563686f");
      await third.close();
      await expects(connection, "01 00 01 06 4d4450573031 00 01 05");
    } finally {
      server.close();
    }
  });

  for (const version of ["0.1", "0.2"] as const) {
    const rule = version === "0.1" ? "MDP1" : "MDP2";
    const number = (command: number) => octet(version === "0.1" ? command - 1 : command);
    const toWorker = (id: Uint8Array, ...frames: (string | Uint8Array)[]) => [
      id,
      ...opening(version),
      ...frames,
    ];
    const work = (router: Router, options: Partial<MajordomoWorkerOptions> = {}) =>
      stage.worker(router.lastEndpoint!, { version, ...options });

    it(`${version}: registers one service on one DEALER, once, and answers (MDP1-03, MDP1-04, MDP1-09, MDP2-04, MDP2-06)`, async () => {
      const router = await stage.router();
      const worker = work(router);
      const [id, ready] = await hear(router, version);
      assertFrames(ready, [...opening(version), octet(1), "echo"]);
      await router.send(toWorker(id, octet(2), "client", "", "a", "", "b"));
      const [from, reply] = await hear(router, version);
      assertFrames([from], [id]);
      assertFrames(reply, [...opening(version), number(4), "client", "", "a", "", "b"]);
      assertEquals([worker.stats().conversations, worker.stats().replies], [1, 1]);
    });

    it(`${version}: comes back on a new socket after DISCONNECT (MDP1-08, ${rule}-06)`, async () => {
      const router = await stage.router();
      const worker = work(router, { reconnectInterval: 20 });
      const lost: string[] = [];
      worker.events.on("lost", ({ reason }) => lost.push(reason));
      const [id] = await hear(router, version);
      await router.send(toWorker(id, number(6)));
      const [next, ready] = await hear(router, version);
      assertNotEquals(toHex(next), toHex(id));
      assertFrames(ready, [...opening(version), octet(1), "echo"]);
      assertEquals(lost, ["disconnect"]);
    });

    it(`${version}: beats while it has nothing else to say, and leaves a broker that is silent (MDP1-10, MDP1-11, MDP1-12, ${rule}-06)`, async () => {
      const router = await stage.router();
      const options = { heartbeatInterval: 50, heartbeatLiveness: 12, reconnectInterval: 20 };
      const worker = work(router, options);
      const lost: string[] = [];
      worker.events.on("lost", ({ reason }) => lost.push(reason));
      const [id] = await router.receive();
      // Any command of the broker's keeps it here.
      const end = performance.now() + 900;
      let beats = 0;
      while (performance.now() < end) {
        await router.send(toWorker(id, number(5)));
        const [from, ...frames] = await router.receive();
        assertFrames([from], [id]);
        if (frames.length === opening(version).length + 1) {
          assertFrames(frames, [...opening(version), number(5)]);
          beats++;
        }
      }
      assert(beats > 1);
      assertEquals(lost, []);
      await eventually(() => lost.length > 0, WAIT_MS);
      assertEquals(lost, ["silent"]);
      for (;;) {
        const [from, ...frames] = await router.receive();
        if (toHex(from) === toHex(id)) continue;
        assertFrames(frames, [...opening(version), octet(1), "echo"]);
        return;
      }
    });

    it(`${version}: sends no more heartbeats than one in an interval (MDP1-10)`, async () => {
      const router = await stage.router();
      const start = performance.now();
      work(router, { heartbeatInterval: 100, heartbeatLiveness: 100 });
      await router.receive();
      for (let i = 0; i < 5; i++) {
        assertFrames((await router.receive()).slice(1), [...opening(version), number(5)]);
      }
      assert(performance.now() - start >= 450, "five intervals, less one step");
    });

    it(`${version}: drops and counts what is no command (${rule}-06)`, async () => {
      const router = await stage.router();
      const worker = work(router);
      let told = 0;
      worker.events.on("malformed", () => told++);
      const [id] = await hear(router, version);
      const other = version === "0.1" ? ["MDPW02"] : ["", "MDPW01"];
      const invalid: (string | Uint8Array)[][] = [
        [id, "x"],
        [id, ""],
        [id, ...other, octet(2), "client", "", "x"],
        [id, ...opening("0.1"), octet(9)],
        toWorker(id),
        toWorker(id, "REQUEST"),
        toWorker(id, octet(0)),
        toWorker(id, octet(1), "echo"),
        toWorker(id, octet(2), "client", "x"),
        toWorker(id, octet(2), "client", ""),
        toWorker(id, number(4), "client", "", "x"),
        toWorker(id, number(5), "x"),
        toWorker(id, number(6), "x"),
      ];
      for (const frames of invalid) await router.send(frames);
      await router.send(toWorker(id, octet(2), "client", "", "still here"));
      assertEquals(textsOf((await hear(router, version))[1]).at(-1), "still here");
      assertEquals([worker.stats().malformed, told], [invalid.length, invalid.length]);
      assertEquals(worker.stats().conversations, 1);
    });

    it(`${version}: a handler that fails is told of, and the worker comes anew`, async () => {
      const router = await stage.router();
      const worker = work(router, {
        handler: ([text]) => {
          if (`${text}` === "throw") throw new Error("no");
          if (`${text}` === "reject") return Promise.reject(new Error("no"));
          return `${text}` === "nonsense" ? {} as unknown as string : text;
        },
      });
      const errors: unknown[] = [];
      worker.events.on("error", ({ error }) => errors.push(error));
      for (const text of ["throw", "reject", "nonsense"]) {
        const [id] = await hear(router, version);
        await router.send(toWorker(id, octet(2), "client", "", text));
        assertFrames((await hear(router, version))[1], [...opening(version), number(6)], text);
      }
      const [id] = await hear(router, version);
      await router.send(toWorker(id, octet(2), "client", "", "fine"));
      assertEquals(textsOf((await hear(router, version))[1]).at(-1), "fine");
      assertEquals([errors.length, worker.stats().failed], [3, 3]);
      for (const error of errors) assertInstanceOf(error, Error);
    });

    it(`${version}: a reply that is late for its conversation is not sent`, async () => {
      const router = await stage.router();
      const going = Promise.withResolvers<void>();
      let signal: AbortSignal | undefined;
      const worker = work(router, {
        reconnectInterval: 20,
        handler: async (body, info) => {
          signal = info.signal;
          await going.promise;
          return body;
        },
      });
      const [id] = await hear(router, version);
      await router.send(toWorker(id, octet(2), "client", "", "x"));
      await eventually(() => signal !== undefined);
      assertEquals(signal!.aborted, false);
      await router.send(toWorker(id, number(6)));
      const [, ready] = await hear(router, version);
      assertFrames(ready, [...opening(version), octet(1), "echo"]);
      assertEquals(signal!.aborted, true);
      going.resolve();
      await eventually(() => worker.stats().late === 1, WAIT_MS);
      await pause(50);
      assertEquals(router.tryReceive(), undefined);
      assertEquals(worker.stats().running, 0);
    });
  }

  it("handles one request at a time, or as many as concurrency says", async () => {
    for (const concurrency of [1, 3]) {
      const router = await stage.router();
      const gates: PromiseWithResolvers<void>[] = [];
      const worker = stage.worker(router.lastEndpoint!, {
        concurrency,
        handler: async (body) => {
          const gate = Promise.withResolvers<void>();
          gates.push(gate);
          await gate.promise;
          return body;
        },
      });
      const [id] = await router.receive();
      for (let i = 0; i < 5; i++) {
        await router.send([id, "", "MDPW01", octet(2), "client", "", `${i}`]);
      }
      await eventually(() => worker.stats().requests === 5, WAIT_MS);
      assertEquals([gates.length, worker.stats().waiting], [concurrency, 5 - concurrency]);
      for (let i = 0; i < 5; i++) {
        gates[i].resolve();
        assertEquals(textsOf(await router.receive()).at(-1), `${i}`);
      }
      assertEquals([worker.stats().running, worker.stats().waiting], [0, 0]);
    }
  });

  it("0.2: sends parts that are yielded or given, then one end (MDP2-03, MDP2-04)", async () => {
    const router = await stage.router();
    const worker = stage.worker(router.lastEndpoint!, {
      version: "0.2",
      handler: async function* ([how], { partial }) {
        if (`${how}` === "given") await partial("0");
        yield "1";
        yield ["2", "two"];
        return `${how}` === "nothing" ? "" : "3";
      },
    });
    const [id] = await router.receive();
    for (const how of ["given", "yielded", "nothing"]) {
      await router.send([id, "MDPW02", octet(2), "client", "", how]);
      const part = (command: number, ...body: string[]) => [
        id,
        "MDPW02",
        octet(command),
        "client",
        "",
        ...body,
      ];
      if (how === "given") assertFrames(await router.receive(), part(3, "0"));
      assertFrames(await router.receive(), part(3, "1"));
      assertFrames(await router.receive(), part(3, "2", "two"));
      assertFrames(await router.receive(), part(4, how === "nothing" ? "" : "3"));
    }
    assertEquals([worker.stats().partials, worker.stats().replies], [7, 3]);
  });

  it("parts are refused in 0.1, and after the end", async () => {
    const router = await stage.router();
    let failures: Promise<unknown>[] = [];
    for (const version of ["0.1", "0.2"] as const) {
      stage.worker(router.lastEndpoint!, {
        version,
        handler: (_, { partial }) => {
          const wait = version === "0.1" ? 0 : 50;
          failures = [pause(wait).then(() => partial("x")).catch((error) => error)];
          return "end";
        },
      });
      const [id] = await router.receive();
      await router.send([id, ...opening(version), octet(2), "client", "", "x"]);
      assertEquals(textsOf(await router.receive()).at(-1), "end");
      const error = await failures[0] as { code: string };
      assertEquals(error.code, "EBADF");
    }
    const old = stage.worker(router.lastEndpoint!, {
      handler: async (_, { partial }) => {
        await partial("x");
        return "end";
      },
    });
    const told = Promise.withResolvers<unknown>();
    old.events.on("error", ({ error }) => told.resolve(error));
    const [id] = await router.receive();
    await router.send([id, ...opening("0.1"), octet(2), "client", "", "x"]);
    assertEquals((await told.promise as { code: string }).code, "ENOTSUP");
  });

  it("refuses options that make no sense, and ends with its signal", async () => {
    const options = { endpoint: "tcp://127.0.0.1:9", service: "echo", handler: () => "" };
    const wrong: Record<string, object> = {
      service: { service: "" },
      version: { version: "0.3" },
      handler: { handler: 5 },
      concurrency: { concurrency: 0 },
      reconnectInterval: { reconnectInterval: -1 },
      heartbeatInterval: { heartbeatInterval: 0 },
    };
    for (const [name, change] of Object.entries(wrong)) {
      assertSays(failure(() => new MajordomoWorker({ ...options, ...change }), "EINVAL"), name);
    }
    failure(() => new MajordomoWorker({ ...options, service: "n".repeat(256) }), "EINVAL");
    failure(() => new MajordomoWorker({ ...options, endpoint: "nowhere" }), "EINVAL");
    const stop = new AbortController();
    const worker = new MajordomoWorker({ ...options, signal: stop.signal });
    stop.abort();
    assert(worker.closed);
    await within(worker.close(), WAIT_MS, "the worker closes");
  });

  it("closes while requests are handled and while it waits to come back", async () => {
    const router = await stage.router();
    const aborted = Promise.withResolvers<void>();
    const worker = stage.worker(router.lastEndpoint!, {
      handler: (_, { signal }) => {
        signal.addEventListener("abort", () => aborted.resolve());
        return new Promise(() => {});
      },
    });
    const [id] = await router.receive();
    await router.send([id, "", "MDPW01", octet(2), "client", "", "x"]);
    await eventually(() => worker.stats().running === 1, WAIT_MS);
    await within(worker.close(), WAIT_MS, "a busy worker closes");
    await within(aborted.promise, WAIT_MS, "its handler is told");
    assertFrames(await router.receive(), [id, "", "MDPW01", octet(5)]);
    const other = stage.worker(router.lastEndpoint!, { reconnectInterval: 100_000 });
    const [next] = await router.receive();
    await router.send([next, "", "MDPW01", octet(5)]);
    await eventually(() => other.stats().conversations === 1 && router.stats().peers.length === 0)
      .catch(() => {});
    await within(other.close(), WAIT_MS, "a waiting worker closes");
  });

  it("survives any frames from its broker, and works on", async () => {
    const router = await stage.router();
    await router.bind(ANY_PORT);
    const worker = stage.worker(router.lastEndpoint!, { ...SILENT, reconnectInterval: 1 });
    let [id] = await router.receive();
    const pieces = constantFrom(
      ...["", "MDPW01", "MDPW02", "MDPC01", "client"].map(utf8),
      ...[0, 1, 2, 3, 4, 5, 6].map(octet),
    );
    const frames = array(oneof({ weight: 5, arbitrary: pieces }, uint8Array({ maxLength: 8 })), {
      minLength: 1,
      maxLength: 7,
    });
    await property(
      asyncProperty(frames, async (message) => {
        await router.send([id, ...message]);
        await router.send([id, "", "MDPW01", octet(2), "probe", "", "x"]);
        for (;;) {
          const [from, ...heard] = await router.receive();
          const texts = textsOf(heard);
          if (texts[2] === "\x01") {
            id = from; // it was sent away, and is here again
            await router.send([id, "", "MDPW01", octet(2), "probe", "", "x"]);
          } else if (texts[3] === "probe") return;
        }
      }),
      { numRuns: 200 },
    );
    assert(worker.stats().malformed > 0);
  });
});
