// Titanic (RFC 9) between a broker, clients and workers.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import type { Frame } from "../../../mod.ts";
import {
  MajordomoBroker,
  MajordomoClient,
  type MajordomoHandler,
  MajordomoWorker,
} from "../../../src/patterns/majordomo/mod.ts";
import {
  FileStore,
  Titanic,
  TitanicClient,
  type TitanicOptions,
} from "../../../src/patterns/titanic/mod.ts";
import { assertFrames, textsOf } from "../../_util/bytes.ts";
import { eventually, pause, within } from "../../_util/deadline.ts";
import { ANY_PORT } from "../../_util/ports.ts";
import { failure, rejection } from "../../_util/rejection.ts";
import { fs, makeFolder } from "./folder.ts";

const WAIT_MS = 20_000;
/** A request that is lost on the way, on a busy machine, is soon tried again. */
const QUICK = { retryInterval: 20, executionTimeout: 3000 } as const;
const UNKNOWN = "0".repeat(32);

describe("Titanic", () => {
  const opened: { close(): Promise<void> }[] = [];
  const keep = <T extends { close(): Promise<void> }>(part: T): T => {
    opened.push(part);
    return part;
  };
  const folders: { remove(): void }[] = [];
  afterEach(async () => {
    const all = opened.splice(0).reverse();
    await within(Promise.all(all.map((part) => part.close())), WAIT_MS, "all is closed");
    folders.splice(0).forEach((folder) => folder.remove());
  });

  let endpoint = "";
  async function openBroker(): Promise<void> {
    const broker = keep(new MajordomoBroker());
    await broker.bind(ANY_PORT);
    endpoint = broker.lastEndpoint!;
  }

  function newFolder(): string {
    const folder = makeFolder();
    folders.push(folder);
    return folder.path;
  }

  async function openTitanic(options: Partial<TitanicOptions> = {}): Promise<Titanic> {
    const folder = options.store === undefined ? { folder: newFolder() } : {};
    const titanic = keep(new Titanic({ endpoint, ...QUICK, ...folder, ...options }));
    await titanic.ready();
    return titanic;
  }

  const work = (handler: MajordomoHandler, service = "echo"): MajordomoWorker =>
    keep(new MajordomoWorker({ endpoint, service, handler }));

  const connect = (): TitanicClient => keep(new TitanicClient({ endpoint, timeout: 5000 }));

  /** Asks a service as any client of the RFC does. */
  function asker(): (name: string, ...body: (string | Uint8Array)[]) => Promise<string[]> {
    const client = keep(new MajordomoClient({ endpoint, timeout: WAIT_MS }));
    return async (name, ...body) => textsOf(await client.request(`titanic.${name}`, body));
  }

  it("TSP-01, TSP-02, TSP-03, TSP-04: keeps a request until there is a worker, and the reply until it is closed", async () => {
    await openBroker();
    const folder = newFolder();
    await openTitanic({ folder });
    const ask = asker();
    const [status, uuid, ...rest] = await ask("request", "echo", "Hello", "world");
    assertEquals([status, rest.length], ["200", 0]);
    assertMatch(uuid, /^[0-9a-f]{32}$/);
    assertEquals(fs.readdirSync(folder), [`${uuid}.request`]);
    assertEquals(await ask("reply", uuid), ["300"]);
    work((frames) => [...frames, "!"]);
    await eventually(async () => (await ask("reply", uuid))[0] === "200", WAIT_MS);
    for (const name of [uuid, uuid.toUpperCase()]) {
      assertEquals(await ask("reply", name), ["200", "Hello", "world", "!"]);
    }
    assertEquals(fs.readdirSync(folder).sort(), [`${uuid}.reply`, `${uuid}.request`]);
    assertEquals(await ask("close", uuid), ["200"]);
    assertEquals(fs.readdirSync(folder), []);
    assertEquals(await ask("close", uuid), ["200"]);
    assertEquals(await ask("reply", uuid), ["400"]);
  });

  it("TSP-05, TSP-07: answers what makes no sense with 400, and closes what it does not know with 200", async () => {
    await openBroker();
    const titanic = await openTitanic({ maxRequestSize: 100 });
    const told: string[] = [];
    titanic.events.on("malformed", ({ service }) => told.push(service));
    const ask = asker();
    assertEquals(await ask("reply", UNKNOWN), ["400"]);
    assertEquals(await ask("close", UNKNOWN), ["200"]);
    assertEquals(told, []);
    for (const service of ["", "titanic.request", "mmi.service", "a\nb", "x".repeat(256)]) {
      assertEquals(await ask("request", service, "body"), ["400"], service);
    }
    assertEquals(await ask("request", new Uint8Array([0xff, 0xfe]), "body"), ["400"]);
    assertEquals(await ask("request", "echo"), ["400"]);
    assertEquals(await ask("request", "echo", "x".repeat(97)), ["400"]);
    assertEquals((await ask("request", "echo", "x".repeat(96)))[0], "200");
    for (const name of ["reply", "close"]) {
      for (const wrong of ["", "x", `${"../".repeat(10)}ab`, "g".repeat(32), `${UNKNOWN}0`]) {
        assertEquals(await ask(name, wrong), ["400"], wrong);
      }
      assertEquals(await ask(name, UNKNOWN, "more"), ["400"]);
    }
    assertEquals([told.length, titanic.stats().malformed], [20, 20]);
  });

  it("TSP-07: answers with 500 when it is full, and when its disk fails", async () => {
    await openBroker();
    const folder = newFolder();
    const titanic = await openTitanic({ folder, maxRequests: 2 });
    const errors: unknown[] = [];
    titanic.events.on("error", ({ error }) => errors.push((error as { code: string }).code));
    const ask = asker();
    const [, first] = await ask("request", "echo", "1");
    await ask("request", "echo", "2");
    assertEquals(await ask("request", "echo", "3"), ["500"]);
    assertEquals(titanic.stats().refused, 1);
    const client = connect();
    const error = await rejection(client.submit("echo", "4"), "EAGAIN");
    assertEquals((error as unknown as { status: number }).status, 500);
    await ask("close", first);
    fs.rmSync(folder, { recursive: true });
    assertEquals(await ask("request", "echo", "5"), ["500"]);
    assertEquals(errors, ["ENOENT"]);
    assertEquals(titanic.stats().requests, 1);
  });

  it("goes on where it was, when it is started again", async () => {
    await openBroker();
    const folder = newFolder();
    const first = await openTitanic({ folder });
    const client = connect();
    const worker = work((frames) => frames);
    const answered = await client.submit("echo", "one");
    await client.wait(answered);
    await worker.close();
    const pending = await client.submit("echo", "two");
    await first.close();
    const waiting = client.wait(pending); // through the time without Titanic
    const second = keep(new Titanic({ endpoint, folder, retryInterval: 20 }));
    const counts: unknown[] = [];
    second.events.on("ready", (event) => counts.push(event));
    await second.ready();
    assertEquals(counts, [{ pending: 1, answered: 1 }]);
    assertFrames((await client.fetch(answered))!, ["one"]);
    work((frames) => frames);
    assertFrames(await within(waiting, WAIT_MS, "the reply"), ["two"]);
    assertEquals([second.stats().answered, second.stats().tries], [2, 1]);
  });

  it("tries again when a worker does not answer, one request at a time", async () => {
    await openBroker();
    await openTitanic({ executionTimeout: 300, concurrency: 1 });
    const client = connect();
    const uuids = [await client.submit("echo", "a"), await client.submit("echo", "b")];
    let calls = 0;
    const deaf = work(() => {
      calls++;
      return new Promise<never>(() => {});
    });
    await eventually(() => calls > 0, WAIT_MS);
    await deaf.close();
    work((frames) => frames);
    assertEquals(
      (await Promise.all(uuids.map((uuid) => client.wait(uuid)))).map(String),
      ["a", "b"],
    );
  });

  it("keeps services apart: one without worker holds up nobody", async () => {
    await openBroker();
    const titanic = await openTitanic({ concurrency: 1 });
    const client = connect();
    for (let i = 0; i < 5; i++) await client.submit(`nobody${i}`, "x");
    work((frames) => frames);
    assertFrames(await within(client.request("echo", "hello"), WAIT_MS, "a reply"), ["hello"]);
    assertEquals(titanic.stats().tries, 1);
    await eventually(() => titanic.stats().requests === 5);
  });

  it("drops the reply of a request that was closed meanwhile", async () => {
    await openBroker();
    const folder = newFolder();
    const titanic = await openTitanic({ folder });
    const client = connect();
    const { promise, resolve } = Promise.withResolvers<string>();
    const worker = work(() => promise);
    const uuid = await client.submit("echo", "x");
    await eventually(() => worker.stats().running === 1, WAIT_MS);
    await client.discard(uuid);
    resolve("too late");
    await eventually(() => worker.stats().replies === 1, WAIT_MS);
    await client.request("echo", "another");
    assertEquals(fs.readdirSync(folder), []);
    const { stored, replies, removed, requests } = titanic.stats();
    assertEquals([stored, replies, removed, requests], [2, 1, 2, 0]);
  });

  it("has a reply that the disk has spoilt made again, and forgets a spoilt request", async () => {
    await openBroker();
    const folder = newFolder();
    const titanic = await openTitanic({ folder });
    const discarded: string[] = [];
    titanic.events.on("discarded", ({ reason }) => discarded.push(reason));
    const client = connect();
    let count = 0;
    work(() => `reply ${++count}`);
    const uuid = await client.submit("echo", "x");
    assertEquals(String(await client.wait(uuid)), "reply 1");
    fs.writeFileSync(`${folder}/${uuid}.reply`, "TSP1 nonsense");
    assertEquals(await client.fetch(uuid), undefined);
    assertEquals(String(await client.wait(uuid)), "reply 2");
    const other = await client.submit("nobody", "x");
    fs.writeFileSync(`${folder}/${other}.request`, "nonsense");
    await work(() => "x", "nobody");
    await eventually(() => discarded.length === 1, WAIT_MS);
    assertEquals(discarded, ["broken request"]);
    await rejection(client.fetch(other), "ENOENT");
  });

  it("removes answered requests after their time, and requests with too long replies", async () => {
    await openBroker();
    const titanic = await openTitanic({ retention: 200, maxReplySize: 10 });
    const discarded: string[] = [];
    titanic.events.on("discarded", ({ reason }) => discarded.push(reason));
    const client = connect();
    const pending = await client.submit("nobody", "x");
    work(([size]) => "x".repeat(Number(String(size))));
    const kept = await client.submit("echo", "10");
    const long = await client.submit("echo", "11");
    await eventually(() => discarded.length >= 2, WAIT_MS);
    assertEquals(discarded.sort(), ["long reply", "retention"]);
    await rejection(client.fetch(kept), "ENOENT");
    await rejection(client.fetch(long), "ENOENT");
    assertEquals(await client.fetch(pending), undefined);
  });

  it("removes a request once, however slow the disk and however many want it", async () => {
    await openBroker();
    const store = new FileStore(newFolder());
    const { remove } = store;
    store.remove = async (uuid) => {
      await pause(150);
      await remove.call(store, uuid);
    };
    const titanic = await openTitanic({ store, retention: 40 });
    const told: string[] = [];
    titanic.events.on("discarded", ({ uuid }) => told.push(uuid));
    titanic.events.on("removed", ({ uuid }) => told.push(uuid));
    work((frames) => frames);
    const client = connect();
    const uuid = await client.submit("echo", "x");
    await eventually(() => titanic.stats().answered === 1, WAIT_MS);
    await Promise.all([client.discard(uuid), client.discard(uuid)]);
    await eventually(() => titanic.stats().requests === 0, WAIT_MS);
    await pause(200);
    assertEquals(told, [uuid]);
    assertEquals(titanic.stats().answered, 0);
  });

  it("TSP-06: a client reads three digits, whatever text follows them", async () => {
    await openBroker();
    const answers = ["300 Not yet", "200 400 times OK", "400 ", "500 Try later", "600", "2000"];
    work(() => [answers.shift()!, "reply"], "titanic.reply");
    const client = connect();
    assertEquals(await client.fetch(UNKNOWN), undefined);
    assertFrames((await client.fetch(UNKNOWN))!, ["reply"]);
    for (const code of ["ENOENT", "EAGAIN", "EPROTO", "EPROTO"]) {
      await rejection(client.fetch(UNKNOWN), code);
    }
  });

  it("tells a client what went wrong", async () => {
    await openBroker();
    const impatient = keep(new TitanicClient({ endpoint, timeout: 50, retries: 0 }));
    await rejection(impatient.submit("echo", "x"), "ETIMEDOUT");
    await openTitanic();
    const client = connect();
    await rejection(client.submit("titanic.close", "x"), "EINVAL");
    await rejection(client.fetch(UNKNOWN), "ENOENT");
    await rejection(client.wait(UNKNOWN), "ENOENT");
    await rejection(client.fetch("nonsense"), "ENOENT");
    await rejection(client.discard("nonsense"), "EINVAL");
    await client.discard(UNKNOWN);
    const aborting = new AbortController();
    const uuid = await client.submit("nobody", "x");
    const waiting = client.wait(uuid, { signal: aborting.signal });
    await pause(20);
    aborting.abort(Object.assign(new Error("enough"), { code: "ENOUGH" }));
    await rejection(waiting, "ENOUGH");
    const closing = client.wait(uuid);
    await client.close();
    await rejection(closing, "EBADF");
    await rejection(client.submit("echo", "x"), "EBADF");
  });

  it("refuses wrong options, and tells of a store that cannot be opened", async () => {
    await openBroker();
    const folder = newFolder();
    const store = new FileStore(folder);
    failure(() => new Titanic({ endpoint }), "EINVAL");
    failure(() => new Titanic({ endpoint, folder, store }), "EINVAL");
    failure(() => new Titanic({ endpoint, folder, maxRequests: 0 }), "EINVAL");
    failure(() => new Titanic({ endpoint, folder, retention: 0 }), "EINVAL");
    fs.writeFileSync(`${folder}/file`, "");
    const titanic = new Titanic({ endpoint, folder: `${folder}/file` });
    const errors: unknown[] = [];
    titanic.events.on("error", ({ error }) => errors.push(error));
    await titanic.ready().then(() => assert(false), () => {});
    await eventually(() => titanic.closed && errors.length === 1);
  });

  it("takes any store", async () => {
    await openBroker();
    const requests = new Map<string, Uint8Array[]>();
    const replies = new Map<string, Uint8Array[]>();
    const store = {
      open: () => Promise.resolve([]),
      putRequest: (uuid: string, frames: readonly Uint8Array[]) =>
        Promise.resolve(void requests.set(uuid, [...frames])),
      putReply: (uuid: string, frames: readonly Uint8Array[]) =>
        Promise.resolve(void replies.set(uuid, [...frames])),
      request: (uuid: string) => Promise.resolve(requests.get(uuid) as Frame[] | undefined),
      reply: (uuid: string) => Promise.resolve(replies.get(uuid) as Frame[] | undefined),
      remove: (uuid: string) => Promise.resolve(void (requests.delete(uuid), replies.delete(uuid))),
      close: () => Promise.resolve(),
    };
    await openTitanic({ store });
    work((frames) => frames);
    const client = connect();
    const bodies = Array.from({ length: 50 }, (_, i) => `request ${i}`);
    const all = await Promise.all(bodies.map((body) => client.request("echo", body)));
    assertEquals(all.map(String), bodies);
    await eventually(() => requests.size === 0 && replies.size === 0);
  });
});
