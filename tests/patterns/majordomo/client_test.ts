// The client of Majordomo: replies that belong to their requests, other tries, parts, and brokers of other make.

import { assert, assertEquals, assertGreater, assertNotEquals } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import {
  array,
  assert as property,
  asyncProperty,
  constantFrom,
  oneof,
  uint8Array,
} from "fast-check";
import { type Frame, ZmqError } from "../../../mod.ts";
import { MajordomoClient, MajordomoPipeline } from "../../../src/patterns/majordomo/mod.ts";
import { assertFrames, fromHex, textsOf, toHex, utf8 } from "../../_util/bytes.ts";
import { eventually, pause, within } from "../../_util/deadline.ts";
import { freeEndpoint } from "../../_util/ports.ts";
import { RawServer } from "../../_util/raw_peer.ts";
import { shakeHands } from "../../_util/raw_zmtp.ts";
import { assertSays, failure, rejection } from "../../_util/rejection.ts";
import { octet, SILENT, Stage, WAIT_MS } from "./stage.ts";

const stage = new Stage();
afterEach(() => stage.run());

/** A handler that takes longer for some requests: replies come in another order. */
const muddled = async (body: Frame[]): Promise<Frame[]> => {
  await pause(Number(body[0]) % 3 * 5);
  return body;
};

describe("the client", () => {
  it("says what it asks octet for octet: GV-MDP1-01, GV-MDP2-01, GV-MMI", async () => {
    const server = await RawServer.listen();
    try {
      const vectors = [
        ["0.1", "echo", "01 00 01 06 4d4450433031 01 04 6563686f 00 05 48656c6c6f"],
        ["0.2", "echo", "01 06 4d4450433032 01 01 01 01 04 6563686f 00 05 48656c6c6f"],
      ] as const;
      for (const [version, service, hex] of vectors) {
        const client = stage.client(server.endpoint, { version, envelopes: false });
        const asking = client.request(service, "Hello");
        const connection = await server.accept();
        await shakeHands(connection, "ROUTER");
        const octets = fromHex(hex);
        assertEquals(toHex(await connection.take(octets.length)), toHex(octets));
        const reply = version === "0.1"
          ? hex
          : "01 06 4d4450433032 01 01 03 01 04 6563686f 00 05 48656c6c6f";
        connection.send(fromHex(reply));
        assertEquals(textsOf(await asking), ["Hello"]);
      }
      const client = stage.client(server.endpoint, { envelopes: false });
      const asking = client.exists("echo");
      const connection = await server.accept();
      await shakeHands(connection, "ROUTER");
      const octets = fromHex(
        "01 00 01 06 4d4450433031 01 0b 6d6d692e73657276696365 00 04 6563686f",
      );
      assertEquals(toHex(await connection.take(octets.length)), toHex(octets));
      connection.send(
        fromHex("01 00 01 06 4d4450433031 01 0b 6d6d692e73657276696365 00 03 323030"),
      );
      assertEquals(await asking, true);
    } finally {
      server.close();
    }
  });

  for (const version of ["0.1", "0.2"] as const) {
    for (const envelopes of [undefined, true, false]) {
      it(`${version}, envelopes ${envelopes}: each of many requests has its own reply, whatever the order (MDP1-02, MDP2-01)`, async () => {
        const broker = await stage.broker({ ...SILENT, requestsPerWorker: 4 });
        const endpoint = broker.lastEndpoint!;
        for (let i = 0; i < 3; i++) {
          stage.worker(endpoint, { version, concurrency: 4, handler: muddled });
        }
        const client = stage.client(endpoint, { version, envelopes, lanes: 5 });
        const bodies = Array.from({ length: 60 }, (_, i) => [`${i}`, "", "x".repeat(i)]);
        const replies = await Promise.all(bodies.map((body) => client.request("echo", body)));
        assertEquals(replies.map(textsOf), bodies);
        await eventually(() => client.stats().connections === (envelopes === false ? 5 : 1));
        const { pending, requests, replies: count, late, malformed } = client.stats();
        assertEquals([pending, requests, count, late, malformed], [0, 60, 60, 0, 0]);
        assertEquals(await client.exists("echo"), true);
        assertEquals(await client.exists("nobody"), false);
        assertEquals(await client.manage("what", "ever"), "501");
      });

      it(`${version}, envelopes ${envelopes}: tries again and gives up (MDP1-14)`, async () => {
        const broker = await stage.broker();
        const options = { version, envelopes, timeout: 100, retries: 2 };
        const client = stage.client(broker.lastEndpoint!, options);
        const left: number[] = [];
        client.events.on("retry", (event) => left.push(event.left));
        const error = await rejection(client.request("nobody", "x"), "ETIMEDOUT");
        assertSays(error, "nobody", "3 tries", "100 ms");
        assertEquals(left, [1, 0]);
        assertEquals([client.stats().timeouts, client.stats().retries], [1, 2]);
        // It goes on working.
        stage.worker(broker.lastEndpoint!, { version });
        const reply = await client.request("echo", "hi", { timeout: WAIT_MS });
        assertEquals(textsOf(reply), ["hi"]);
      });

      it(`${version}, envelopes ${envelopes}: reaches a broker that comes later, by a fresh socket (MDP1-14)`, async () => {
        const endpoint = await freeEndpoint();
        const client = stage.client(endpoint, { version, envelopes, timeout: 100, retries: 200 });
        const asking = client.request("echo", "hi");
        await eventually(() => client.stats().retries > 0, WAIT_MS);
        const broker = await stage.broker();
        await broker.bind(endpoint);
        stage.worker(endpoint, { version });
        assertEquals(textsOf(await within(asking, WAIT_MS, "a reply")), ["hi"]);
      });
    }
  }

  it("takes the next endpoint after a silence", async () => {
    const broker = await stage.broker();
    stage.worker(broker.lastEndpoint!);
    for (const envelopes of [undefined, true, false]) {
      const client = stage.add(
        new MajordomoClient({
          endpoint: [await freeEndpoint(), broker.lastEndpoint!],
          timeout: 300,
          retries: 30,
          envelopes,
        }),
      );
      const silent: string[] = [];
      client.events.on("silent", (event) => silent.push(event.endpoint));
      assertEquals(textsOf(await client.request("echo", "hi")), ["hi"]);
      assertGreater(silent.length, 0);
      assertEquals(textsOf(await client.request("echo", "again")), ["again"]);
    }
  });

  it("uses lanes with a broker that has no envelopes, and with one that has no MMI", async () => {
    for (const code of ["501", undefined]) {
      const router = await stage.router();
      const client = stage.client(router.lastEndpoint!, { timeout: 300, retries: 100, lanes: 3 });
      let going = true;
      const serving = (async () => {
        while (going) {
          const message = router.tryReceive();
          if (message === undefined) {
            await pause(1);
            continue;
          }
          assertEquals(message[1].length, 0); // no envelope, ever
          const [id, , header, service, ...body] = message;
          if (`${service}`.startsWith("mmi.")) {
            if (code !== undefined) await router.send([id, "", header, service, code]);
          } else await router.send([id, "", header, service, ...body]);
        }
      })();
      const replies = await Promise.all(
        Array.from({ length: 9 }, (_, i) => client.request("echo", `${i}`)),
      );
      assertEquals(replies.flatMap(textsOf).join(""), "012345678");
      await eventually(async () => {
        await Promise.all([1, 2, 3].map(() => client.request("echo", "x")));
        return client.stats().connections === 3;
      }, WAIT_MS);
      going = false;
      await serving;
      await client.close();
    }
  });

  it("does not take a late reply for that of the next request", async () => {
    const router = await stage.router();
    for (const envelopes of [true, false]) {
      const client = stage.client(router.lastEndpoint!, { envelopes, timeout: 200, retries: 0 });
      const first = client.request("echo", "first");
      const message = await router.receive();
      await rejection(first, "ETIMEDOUT");
      const second = client.request("echo", "second", { timeout: WAIT_MS });
      await router.send(message); // an echo is the reply
      const next = await router.receive();
      await router.send(next);
      assertEquals(textsOf(await second), ["second"]);
      if (!envelopes) assertNotEquals(toHex(next[0]), toHex(message[0]), "a fresh socket");
      await client.close();
    }
  });

  it("a request that is given up by its signal rejects with the reason, and others go on", async () => {
    const broker = await stage.broker();
    for (const envelopes of [undefined, true, false]) {
      const client = stage.client(broker.lastEndpoint!, { envelopes });
      const stop = new AbortController();
      const asking = client.request("later", "x", { signal: stop.signal });
      const staying = client.request("later", "y");
      const reason = new Error("enough");
      await pause(20);
      stop.abort(reason);
      assertEquals(await asking.catch((error) => error), reason);
      const worker = stage.worker(broker.lastEndpoint!, { service: "later" });
      assertEquals(textsOf(await staying), ["y"]);
      assertEquals(client.stats().pending, 0);
      assertEquals(await client.request("a", "b", { signal: stop.signal }).catch((e) => e), reason);
      await worker.close();
      await client.close();
    }
  });

  it("0.2: streams the parts of a reply; a loop that is left gives it up (MDP2-01)", async () => {
    const broker = await stage.broker();
    stage.worker(broker.lastEndpoint!, {
      version: "0.2",
      service: "count",
      handler: async function* ([to]) {
        for (let i = 1; i < Number(to); i++) yield `${i}`;
        return `${to}`;
      },
    });
    for (const envelopes of [undefined, true, false]) {
      const client = stage.client(broker.lastEndpoint!, { version: "0.2", envelopes });
      const parts: string[] = [];
      for await (const { body, final } of client.stream("count", "4")) {
        parts.push(`${body}${final ? "!" : ""}`);
      }
      assertEquals(parts, ["1", "2", "3", "4!"]);
      for await (const { body } of client.stream("count", "1000")) {
        if (`${body}` === "2") break;
      }
      assertEquals(client.stats().pending, 0);
      assertEquals(textsOf(await client.request("count", "3")), ["3"], "its last part");
      assertEquals(client.stats().partials >= 5, true);
      await client.close();
    }
    const old = stage.client(broker.lastEndpoint!);
    const parts = [];
    for await (const part of old.stream("count", "4")) parts.push(part);
    assertEquals(parts.map(({ body, final }) => [`${body}`, final]), [["4", true]]);
  });

  it("0.2: a stream fails when it breaks off, and is not tried again", async () => {
    const router = await stage.router();
    const client = stage.client(router.lastEndpoint!, {
      version: "0.2",
      envelopes: true,
      timeout: 200,
      retries: 5,
    });
    const stream = client.stream("count", "x");
    const [id, number] = await router.receive();
    await router.send([id, number, "MDPC02", octet(2), "count", "1"]);
    assertEquals(`${(await stream.next()).value?.body}`, "1");
    const error = await rejection(stream.next(), "ETIMEDOUT");
    assertSays(error, "broke off");
    assertEquals(client.stats().retries, 0);
    assertEquals((await stream.next()).done, true);
  });

  it("0.2: each part is a sign of life: a long reply does not time out", async () => {
    const broker = await stage.broker();
    stage.worker(broker.lastEndpoint!, {
      version: "0.2",
      handler: async function* () {
        for (let i = 0; i < 12; i++) {
          await pause(100);
          yield `${i}`;
        }
        return "end";
      },
    });
    const options = { version: "0.2", timeout: 600, retries: 0 } as const;
    const client = stage.client(broker.lastEndpoint!, options);
    assertEquals(textsOf(await client.request("echo", "x")), ["end"]);
  });

  it("after a request without a reply the next one has a new connection", async () => {
    const router = await stage.router();
    const options = { envelopes: true, timeout: 200, retries: 0 };
    const client = stage.client(router.lastEndpoint!, options);
    const ids: string[] = [];
    for (let i = 0; i < 2; i++) {
      const asking = client.request("echo", "x");
      ids.push(toHex((await router.receive())[0]));
      await rejection(asking, "ETIMEDOUT");
    }
    assertNotEquals(ids[0], ids[1]);
  });

  it("drops and counts what is no reply, and replies that nobody waits for", async () => {
    const router = await stage.router();
    for (const envelopes of [true, false]) {
      for (const version of ["0.1", "0.2"] as const) {
        const client = stage.client(router.lastEndpoint!, { version, envelopes });
        let told = 0;
        client.events.on("malformed", () => told++);
        const asking = client.request("echo", "hi");
        const message = await router.receive();
        const head = message.slice(0, envelopes ? 2 : 1);
        const right = version === "0.1"
          ? ["", "MDPC01", "echo", "x"]
          : ["MDPC02", octet(3), "echo", "x"];
        const wrong: (string | Uint8Array)[][] = [
          [...head, "x"],
          [...head, ""],
          [...head, "", "MDPC01", "echo"],
          [...head, "MDPC02", octet(1), "echo", "x"],
          [...head, "MDPC02", octet(4), "echo", "x"],
          [...head, "", "MDPW01", "echo", "x"],
          version === "0.1"
            ? [...head, "", "MDPC01", "other", "x"]
            : [...head, "MDPC02", octet(3), "other", "x"],
        ];
        for (const frames of wrong) await router.send(frames);
        await router.send([...head, ...right]);
        assertEquals(textsOf(await asking), ["x"]);
        assertEquals([client.stats().malformed, told], [wrong.length, wrong.length]);
        await router.send([...head, ...right]);
        await eventually(() => client.stats().late === 1, WAIT_MS);
        await client.close();
      }
    }
  });

  it("has a limit for requests under way, refuses nonsense, and fails when it is closed", async () => {
    const broker = await stage.broker();
    const client = stage.client(broker.lastEndpoint!, { maxPending: 2 });
    const asking = [client.request("nobody", "1"), client.request("nobody", "2")];
    assertSays(await rejection(client.request("nobody", "3"), "ENOBUFS"), "2", "maxPending");
    await rejection(client.request("", "x"), "EINVAL");
    await rejection(client.request("n".repeat(256), "x"), "EINVAL");
    await rejection(client.request("a", "x", { timeout: -1 }), "EINVAL");
    await rejection(client.stream("", "x").next(), "EINVAL");
    const closing = client.close();
    for (const request of asking) await rejection(request, "EBADF");
    await within(closing, WAIT_MS, "the client closes");
    await rejection(client.request("echo", "x"), "EBADF");
    const endpoint = broker.lastEndpoint!;
    for (const wrong of [{ timeout: 0 }, { retries: -1 }, { lanes: 0 }, { version: "1" }]) {
      failure(() => new MajordomoClient({ endpoint, ...wrong } as never), "EINVAL");
    }
    failure(() => new MajordomoClient({ endpoint: [] }), "EINVAL");
    const unsendable = stage.client(endpoint, { envelopes: true });
    await rejection(unsendable.request("echo", {} as never), "EINVAL");
    assertEquals(unsendable.stats().pending, 0);
    await rejection(stage.client("nowhere").request("echo", "x"), "EINVAL");
  });

  it("survives any frames from its broker", async () => {
    const router = await stage.router();
    const pieces = constantFrom(
      ...["", "MDPC01", "MDPC02", "MDPW01", "echo"].map(utf8),
      ...[0, 1, 2, 3].map(octet),
    );
    const frames = array(oneof({ weight: 5, arbitrary: pieces }, uint8Array({ maxLength: 8 })), {
      minLength: 1,
      maxLength: 6,
    });
    for (const envelopes of [true, false]) {
      const client = stage.client(router.lastEndpoint!, { envelopes, version: "0.2" });
      await property(
        asyncProperty(frames, async (noise) => {
          const asking = client.request("echo", "hi");
          const message = await router.receive();
          const head = message.slice(0, envelopes ? 2 : 1);
          await router.send([...head, ...noise]);
          await router.send([...head, "MDPC02", octet(3), "echo", "right"]);
          const [reply] = await asking;
          // Noise may happen to be a reply.
          assert(`${reply}` === "right" || noise.length > 3);
        }),
        { numRuns: 150 },
      );
      await client.close();
    }
  });
});

describe("the pipeline", () => {
  it("sends and receives without matching, with as many workers as there are", async () => {
    const broker = await stage.broker({ ...SILENT, requestsPerWorker: 5 });
    for (const version of ["0.1", "0.2"] as const) {
      const worker = stage.worker(broker.lastEndpoint!, { version });
      const pipeline = stage.add(
        new MajordomoPipeline({ endpoint: broker.lastEndpoint!, version }),
      );
      for (let i = 0; i < 20; i++) await pipeline.send("echo", [`${i}`, "x"]);
      for (let i = 0; i < 20; i++) {
        const { service, body, final } = await pipeline.receive();
        assertEquals(service, "echo");
        assertFrames(body, [`${i}`, "x"]);
        assertEquals(final, true);
      }
      assertEquals(pipeline.stats(), { sent: 20, received: 20, malformed: 0 });
      await worker.close();
    }
  });

  it("passes over what is no reply, and fails when it is closed", async () => {
    const router = await stage.router();
    const pipeline = stage.add(new MajordomoPipeline({ endpoint: router.lastEndpoint! }));
    let told = 0;
    pipeline.events.on("malformed", () => told++);
    await pipeline.send("echo", "x");
    const [id] = await router.receive();
    await router.send([id, "noise"]);
    await router.send([id, "", "MDPC01", "echo", "y"]);
    assertEquals(textsOf((await pipeline.receive()).body), ["y"]);
    assertEquals([told, pipeline.stats().malformed], [1, 1]);
    const receiving = pipeline.receive();
    const closing = pipeline.close();
    await receiving.then(() => assert(false), (error) => assert(error instanceof ZmqError));
    await closing;
  });
});
