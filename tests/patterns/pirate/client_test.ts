// Lazy Pirate against services that answer, are silent, late or not there.

import { assert, assertEquals, assertGreaterOrEqual, assertNotEquals } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { type Frame, Reply, Router } from "../../../mod.ts";
import {
  LazyPirateClient,
  type LazyPirateClientOptions,
} from "../../../src/patterns/pirate/mod.ts";
import { textsOf } from "../../_util/bytes.ts";
import { Cleanup } from "../../_util/cleanup.ts";
import { eventually, within } from "../../_util/deadline.ts";
import { ANY_PORT, freeEndpoint } from "../../_util/ports.ts";
import { assertSays, failure, rejection } from "../../_util/rejection.ts";

const WAIT_MS = 10_000;
/** For tries that are meant to be in vain. */
const SHORT = { timeout: 50, socketOptions: { reconnectInterval: 10 } } as const;

describe("LazyPirateClient", () => {
  const cleanup = new Cleanup();
  afterEach(() => cleanup.run());

  async function service(): Promise<Router> {
    const router = cleanup.add(new Router({ receiveTimeout: WAIT_MS }));
    await router.bind(ANY_PORT);
    return router;
  }

  function clientOf(options: LazyPirateClientOptions): LazyPirateClient {
    return cleanup.add(new LazyPirateClient(options));
  }

  /** Passes over requests of tries that were given up before they were read. */
  async function take(router: Router, text: string): Promise<Frame[]> {
    for (;;) {
      const request = await router.receive();
      if (textsOf(request).at(-1) === text) return request;
    }
  }

  const ask = async (client: LazyPirateClient, ...body: string[]): Promise<string[]> =>
    textsOf(await within(client.request(body), WAIT_MS, `reply to ${body}`));

  it("asks one after the other, in order, over one socket", async () => {
    const router = await service();
    const client = clientOf({ endpoint: router.lastEndpoint!, timeout: WAIT_MS });
    const replies = ["a", "b", "c"].map((text) => ask(client, text, ""));
    const ids = new Set<string>();
    for (const text of ["a", "b", "c"]) {
      const request = await router.receive();
      ids.add(String(request[0].toString("hex")));
      assertEquals(textsOf(request.slice(1)), ["", text, ""]);
      assertEquals(router.tryReceive(), undefined, "the next one waits for the reply");
      await router.send([...request.slice(0, 2), `${text}!`, "2"]);
    }
    assertEquals(await Promise.all(replies), [["a!", "2"], ["b!", "2"], ["c!", "2"]]);
    assertEquals(ids.size, 1);
    assertEquals(client.stats(), { requests: 3, replies: 3, retries: 0, failures: 0, waiting: 0 });
  });

  it("sends a request again over a fresh socket, and never takes a late reply", async () => {
    const router = await service();
    const client = clientOf({ ...SHORT, endpoint: router.lastEndpoint!, retries: 1000 });
    const attempts: number[] = [];
    client.events.on("retry", ({ attempt }) => attempts.push(attempt));
    const firsts = new Map<string, Frame[]>();
    void (async () => {
      for await (const request of router) {
        const text = String(request[2]);
        const first = firsts.get(text);
        if (first === undefined) {
          firsts.set(text, request);
          continue;
        }
        assertNotEquals(request[0], first[0], "the socket is another");
        await router.send([...first.slice(0, 2), `late ${text}`]);
        await router.send([...request.slice(0, 2), `${text} in time`]);
      }
    })();
    for (const text of ["one", "two", "three"]) {
      assertEquals(await ask(client, text), [`${text} in time`]);
    }
    assertGreaterOrEqual(attempts.length, 3);
    assertEquals(client.stats().retries, attempts.length);
  });

  it("gives up after its tries, says what to do, and goes on with the next request", async () => {
    const router = await service();
    const endpoint = router.lastEndpoint!;
    const client = clientOf({ ...SHORT, endpoint, retries: 2 });
    const failed: number[] = [];
    client.events.on("failure", ({ attempt }) => failed.push(attempt));
    const error = await rejection(client.request("anybody there?"), "ETIMEDOUT");
    assertSays(error, endpoint, "3 times", "50 ms");
    assertEquals(error.address, endpoint);
    assertEquals(failed, [3]);
    assertEquals(client.stats(), { requests: 1, replies: 0, retries: 2, failures: 1, waiting: 0 });
    const patient = clientOf({ endpoint, timeout: WAIT_MS });
    const reply = ask(patient, "now");
    const request = await take(router, "now");
    await router.send([...request.slice(0, 2), "yes"]);
    assertEquals(await reply, ["yes"]);
  });

  it("goes on to the next endpoint with each try, and stays where it is answered", async () => {
    const router = await service();
    const dead = await freeEndpoint();
    const client = clientOf({
      timeout: 1000,
      retries: 100,
      endpoint: [dead, router.lastEndpoint!],
    });
    const tried: string[] = [];
    client.events.on("retry", ({ endpoint }) => tried.push(endpoint));
    for (const text of ["a", "b"]) {
      const reply = ask(client, text);
      const request = await take(router, text);
      await router.send([...request.slice(0, 2), "yes"]);
      await reply;
    }
    assertEquals(tried[0], dead);
    assertEquals(tried.filter((endpoint) => endpoint === dead).length, 1);
  });

  it("waits longer and longer between its tries", async () => {
    const client = clientOf({ ...SHORT, endpoint: await freeEndpoint(), backoff: 60, retries: 3 });
    const start = performance.now();
    await rejection(client.request("x"), "ETIMEDOUT");
    assertGreaterOrEqual(performance.now() - start, 4 * 50 + 60 + 120 + 240 - 20);
  });

  it("lets a request be cancelled while it waits, or is under way", async () => {
    const router = await service();
    const client = clientOf({ endpoint: router.lastEndpoint!, timeout: WAIT_MS });
    const [first, second] = [new AbortController(), new AbortController()];
    const outcomes = [first, second].map(({ signal }, i) =>
      client.request(`no ${i}`, { signal }).then(() => "replied", (reason: unknown) => reason)
    );
    const third = ask(client, "third");
    const old = await take(router, "no 0");
    second.abort("second");
    assertEquals(await outcomes[1], "second");
    first.abort("first");
    assertEquals(await outcomes[0], "first");
    const request = await take(router, "third");
    await router.send([...old.slice(0, 2), "the answer to the first"]);
    await router.send([...request.slice(0, 2), "the answer to the third"]);
    assertEquals(await third, ["the answer to the third"]);
    const aborted = AbortSignal.abort("before");
    assertEquals(
      await client.request("x", { signal: aborted }).catch((reason) => reason),
      "before",
    );
    assertEquals(client.stats(), { requests: 3, replies: 1, retries: 0, failures: 0, waiting: 0 });
  });

  it("keeps no more requests than it may, and rejects them all when it is closed", async () => {
    const router = await service();
    const client = clientOf({ endpoint: router.lastEndpoint!, maxPending: 3, timeout: WAIT_MS });
    const kept = [1, 2, 3].map((n) => rejection(client.request(n), "EBADF"));
    assertSays(await rejection(client.request(4), "ENOBUFS"), "3 requests are under way");
    assertEquals(client.stats().waiting, 2);
    await router.receive();
    await within(client.close(), WAIT_MS, "close");
    await Promise.all(kept);
    await rejection(client.request(5), "EBADF");
    assertEquals([client.closed, client.stats().waiting], [true, 0]);
  });

  it("is closed by its signal, also by one that was aborted before", async () => {
    const controller = new AbortController();
    const endpoint = await freeEndpoint();
    const client = clientOf({ endpoint, signal: controller.signal });
    const request = rejection(client.request("x"), "EBADF");
    controller.abort();
    await request;
    assert(client.closed);
    const late = clientOf({ endpoint, signal: controller.signal });
    await eventually(() => late.closed);
  });

  it("works with a REP, and rejects what cannot be sent without losing its place", async () => {
    const reply = cleanup.add(new Reply());
    await reply.bind(ANY_PORT);
    void (async () => {
      for await (const frames of reply) await reply.send(frames);
    })();
    const client = clientOf({ endpoint: reply.lastEndpoint!, timeout: WAIT_MS });
    const bad = rejection(client.request({} as string), "EINVAL");
    const empty = rejection(client.request([]), "EINVAL");
    assertEquals(await ask(client, "echo"), ["echo"]);
    await bad;
    await empty;
    assertEquals(client.stats().failures, 2);
  });

  it("refuses options that cannot be right", async () => {
    const endpoint = "tcp://127.0.0.1:1";
    for (
      const wrong of [
        { endpoint: [] },
        { endpoint, timeout: 0 },
        { endpoint, timeout: NaN },
        { endpoint, retries: -1 },
        { endpoint, retries: 1.5 },
        { endpoint, backoff: -1 },
        { endpoint, maxPending: 0 },
      ]
    ) {
      failure(() => new LazyPirateClient(wrong), "EINVAL");
    }
    const client = clientOf({ endpoint: "nonsense" });
    await rejection(client.request("x"), "EINVAL");
  });
});
