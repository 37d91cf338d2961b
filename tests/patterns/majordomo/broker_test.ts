// The broker of Majordomo on the wire: what it says to clients and workers of MDP 0.1 and 0.2, and to those who break the rules.

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import type { Dealer } from "../../../mod.ts";
import { assertFrames, fromHex } from "../../_util/bytes.ts";
import { eventually, pause } from "../../_util/deadline.ts";
import { connectAs } from "../../_util/raw_zmtp.ts";
import { ask, LIVELY, octet, opening, shown, SILENT, Stage, WAIT_MS } from "./stage.ts";

const stage = new Stage();
afterEach(() => stage.run());

/** Nothing comes: another message that must come is the first. */
async function hearsNext(dealer: Dealer, ...frames: (string | Uint8Array)[]): Promise<void> {
  assertFrames(await dealer.receive(), frames);
}

describe("the broker's golden vectors", () => {
  it("MDP 0.1: GV-MDP1-01, GV-MDP1-02, GV-MDP1-03, GV-MDP1-04, GV-MDP1-05", async () => {
    const broker = await stage.broker();
    const worker = await connectAs(broker.lastEndpoint!, "DEALER");
    worker.send(fromHex("01 00 01 06 4d4450573031 01 01 01 00 04 6563686f"));
    await eventually(() => broker.stats().workers === 1);
    const client = await connectAs(broker.lastEndpoint!, "REQ", "client-01");
    client.send(fromHex("01 00 01 06 4d4450433031 01 04 6563686f 00 05 48656c6c6f"));
    const request = fromHex(
      "01 00 01 06 4d4450573031 01 01 02 01 09 636c69656e742d3031 01 00 00 05 48656c6c6f",
    );
    assertEquals(await worker.take(request.length), request);
    worker.send(
      fromHex("01 00 01 06 4d4450573031 01 01 03 01 09 636c69656e742d3031 01 00 00 05 48656c6c6f"),
    );
    const reply = fromHex("01 00 01 06 4d4450433031 01 04 6563686f 00 05 48656c6c6f");
    assertEquals(await client.take(reply.length), reply);
    // A second READY is unexpected.
    worker.send(fromHex("01 00 01 06 4d4450573031 01 01 01 00 04 6563686f"));
    const disconnect = fromHex("01 00 01 06 4d4450573031 00 01 05");
    assertEquals(await worker.take(disconnect.length), disconnect);
    worker.destroy();
    client.destroy();
  });

  it("MDP 0.2: GV-MDP2-01, GV-MDP2-02, GV-MDP2-03", async () => {
    const broker = await stage.broker();
    const worker = await connectAs(broker.lastEndpoint!, "DEALER");
    worker.send(fromHex("01 06 4d4450573032 01 01 01 00 04 6563686f"));
    worker.send(fromHex("01 06 4d4450573032 00 01 05"));
    await eventually(() => broker.stats().workers === 1);
    const client = await connectAs(broker.lastEndpoint!, "DEALER", "client-01");
    client.send(fromHex("01 06 4d4450433032 01 01 01 01 04 6563686f 00 05 48656c6c6f"));
    const request = fromHex(
      "01 06 4d4450573032 01 01 02 01 09 636c69656e742d3031 01 00 00 05 48656c6c6f",
    );
    assertEquals(await worker.take(request.length), request);
    worker.send(
      fromHex("01 06 4d4450573032 01 01 04 01 09 636c69656e742d3031 01 00 00 05 48656c6c6f"),
    );
    const final = fromHex("01 06 4d4450433032 01 01 03 01 04 6563686f 00 05 48656c6c6f");
    assertEquals(await client.take(final.length), final);
    assertEquals(broker.stats().malformed, 0);
    worker.destroy();
    client.destroy();
  });

  it("MMI: GV-MMI", async () => {
    const broker = await stage.broker();
    await stage.readyWorker(broker, "echo");
    const client = await connectAs(broker.lastEndpoint!, "REQ");
    client.send(fromHex("01 00 01 06 4d4450433031 01 0b 6d6d692e73657276696365 00 04 6563686f"));
    const reply = fromHex("01 00 01 06 4d4450433031 01 0b 6d6d692e73657276696365 00 03 323030");
    assertEquals(await client.take(reply.length), reply);
    client.destroy();
  });
});

describe("the broker, for clients and workers", () => {
  for (const version of ["0.1", "0.2"] as const) {
    const rule = version === "0.1" ? "MDP1" : "MDP2";
    const number = (command: number) => octet(version === "0.1" ? command - 1 : command);
    const say = (...frames: (string | Uint8Array)[]) => [...opening(version), ...frames];
    const disconnect = [...opening(version), number(6)];

    it(`${version}: takes a request to a worker and its reply back, with several frames, on a ROUTER (MDP1-01, ${rule}-04, MDP1-09, MDP2-01, MDP2-05)`, async () => {
      const broker = await stage.broker();
      const worker = await stage.readyWorker(broker, "echo", version);
      const client = stage.dealer(broker.lastEndpoint!, "me");
      await client.send(ask(version, "echo", "a", "", "b"));
      assertFrames(await worker.receive(), say(octet(2), "me", "", "a", "", "b"));
      await worker.send(say(number(4), "me", "", "c", "", "d"));
      const head = version === "0.1" ? ["", "MDPC01"] : ["MDPC02", octet(3)];
      assertFrames(await client.receive(), [...head, "echo", "c", "", "d"]);
      const { requests, replies, inFlight, malformed } = broker.stats();
      assertEquals([requests, replies, inFlight, malformed], [1, 1, 0, 0]);
    });

    it(`${version}: listens at several endpoints at once (MDP1-01)`, async () => {
      const broker = await stage.broker();
      const first = broker.lastEndpoint!;
      await broker.bind("tcp://127.0.0.1:*");
      assertNotEquals(broker.lastEndpoint, first);
      const worker = await stage.readyWorker(broker, "echo", version);
      const client = stage.dealer(first);
      await client.send(ask(version, "echo", "hi"));
      assertEquals(shown(await worker.receive()).at(-1), "hi");
    });

    it(`${version}: keeps requests of an unknown service, expires them, and gives the others in order (MDP1-13)`, async () => {
      const broker = await stage.broker({ ...SILENT, requestTimeout: 200 });
      const client = stage.dealer(broker.lastEndpoint!);
      const expired: string[] = [];
      broker.events.on("expired", ({ service }) => expired.push(service));
      await client.send(ask(version, "later", "too late"));
      await eventually(() => expired.length > 0, WAIT_MS);
      assertEquals(expired, ["later"]);
      assertEquals([broker.stats().services, broker.stats().queued], [0, 0]);
      const patient = await stage.broker();
      const other = stage.dealer(patient.lastEndpoint!);
      for (const body of ["1", "2"]) await other.send(ask(version, "later", body));
      await eventually(() => patient.stats().queued === 2);
      const worker = await stage.readyWorker(patient, "later", version);
      const [, , address, , body] = (await worker.receive()).slice(opening(version).length - 1);
      assertEquals(`${body}`, "1");
      await worker.send(say(number(4), address, "", "done"));
      assertEquals(shown(await worker.receive()).at(-1), "2");
    });

    it(`${version}: a request goes to the worker that was used least recently (MDP1-13)`, async () => {
      const broker = await stage.broker();
      const workers = [];
      for (let i = 0; i < 3; i++) workers.push(await stage.readyWorker(broker, "echo", version));
      const client = stage.dealer(broker.lastEndpoint!);
      for (const i of [0, 1, 2, 0, 1]) {
        await client.send(ask(version, "echo", `for ${i}`));
        const message = await workers[i].receive();
        assertEquals(`${message.at(-1)}`, `for ${i}`);
        await workers[i].send(say(number(4), message.at(-3)!, "", "done"));
        await client.receive();
      }
    });

    it(`${version}: a worker that says DISCONNECT hears nothing more (MDP1-05, ${rule}-06)`, async () => {
      const broker = await stage.broker({ ...LIVELY });
      const worker = stage.dealer(broker.lastEndpoint!);
      const reasons: string[] = [];
      broker.events.on("lost", ({ reason }) => reasons.push(reason));
      await worker.send(say(number(6))); // before READY
      await worker.send(say(octet(1), "echo"));
      await eventually(() => broker.stats().workers === 1);
      await worker.send(say(number(6)));
      await eventually(() => broker.stats().workers === 0);
      while (worker.tryReceive());
      await pause(4 * LIVELY.heartbeatInterval);
      assertEquals(worker.tryReceive(), undefined);
      assertEquals(reasons, ["disconnect"]);
      assertEquals(broker.stats().malformed, 0);
    });

    it(`${version}: what is valid and unexpected is answered by DISCONNECT, once, then by silence (MDP1-06, ${rule}-06)`, async () => {
      const broker = await stage.broker();
      const unexpected: Record<string, (string | Uint8Array)[][]> = {
        "a second READY": [[octet(1), "echo"], [octet(1), "echo"]],
        "a heartbeat before READY": [[number(5)]],
        "a reply before READY": [[number(4), "somebody", "", "x"]],
        "a reply that nobody asked for": [[octet(1), "echo"], [number(4), "somebody", "", "x"]],
      };
      for (const [what, commands] of Object.entries(unexpected)) {
        const worker = stage.dealer(broker.lastEndpoint!);
        for (const command of commands) await worker.send(say(...command));
        assertFrames(await worker.receive(), disconnect, what);
        for (let i = 0; i < 3; i++) await worker.send(say(number(5)));
        // Its READY on the next socket is as good as any.
        await worker.send(say(octet(1), "after"));
        await worker.send(ask(version, "mmi.service", "after"));
        assertEquals(shown(await worker.receive()).slice(-2), ["mmi.service", "200"], what);
        await worker.send(say(number(6)));
      }
      await eventually(() => broker.stats().workers === 0);
      assertEquals(broker.stats().disconnects, 4);
    });

    it(`${version}: a worker that answers twice is sent away; its second answer goes nowhere`, async () => {
      const broker = await stage.broker();
      const worker = await stage.readyWorker(broker, "echo", version);
      const client = stage.dealer(broker.lastEndpoint!, "me");
      await client.send(ask(version, "echo", "hi"));
      await worker.receive();
      for (const body of ["first", "second"]) await worker.send(say(number(4), "me", "", body));
      assertEquals(`${(await client.receive()).at(-1)}`, "first");
      await hearsNext(worker, ...disconnect);
      await client.send(ask(version, "mmi.service", "echo"));
      assertEquals(`${(await client.receive()).at(-1)}`, "404");
    });

    it(`${version}: a reply to a client that is gone is dropped`, async () => {
      const broker = await stage.broker();
      const worker = await stage.readyWorker(broker, "echo", version);
      const client = stage.dealer(broker.lastEndpoint!, "me");
      await client.send(ask(version, "echo", "hi"));
      await worker.receive();
      await client.close();
      await pause(100); // until the broker knows
      await worker.send(say(number(4), "me", "", "x"));
      await eventually(() => broker.stats().inFlight === 0, WAIT_MS);
      const other = stage.dealer(broker.lastEndpoint!);
      await other.send(ask(version, "mmi.service", "echo"));
      assertEquals(`${(await other.receive()).at(-1)}`, "200");
      assertEquals(broker.stats().undelivered + broker.stats().replies, 1);
    });

    it(`${version}: sends heartbeats to workers that it has nothing else for, and expects theirs (${rule}-06, MDP1-10, MDP1-11, MDP1-12)`, async () => {
      const broker = await stage.broker({ heartbeatInterval: 50, heartbeatLiveness: 12 });
      const gone: string[] = [];
      broker.events.on("lost", ({ reason }) => gone.push(reason));
      const worker = await stage.readyWorker(broker, "echo", version);
      for (let i = 0; i < 3; i++) await hearsNext(worker, ...say(number(5)));
      // Silent from here on: it is given up, and hears nothing more.
      await eventually(() => gone.length > 0, WAIT_MS);
      assertEquals(gone, ["silent"]);
      while (worker.tryReceive());
      await pause(200);
      assertEquals(worker.tryReceive(), undefined);
    });

    it(`${version}: any command of a worker is a sign of life (MDP1-10)`, async () => {
      const broker = await stage.broker({ heartbeatInterval: 50, heartbeatLiveness: 14 });
      const worker = await stage.readyWorker(broker, "echo", version);
      const client = stage.dealer(broker.lastEndpoint!, "me");
      const end = performance.now() + 900;
      while (performance.now() < end) {
        await client.send(ask(version, "echo", "hi"));
        for (;;) {
          const message = await worker.receive();
          if (message.length > opening(version).length + 1) break;
        }
        await worker.send(say(number(4), "me", "", "x"));
        await client.receive();
        await pause(50);
      }
      assertEquals(broker.stats().lost, 0);
    });

    it(`${version}: what a lost worker had goes to another, a few times at most`, async () => {
      const broker = await stage.broker({ ...SILENT, maxDeliveries: 2 });
      const client = stage.dealer(broker.lastEndpoint!, "me");
      await client.send(ask(version, "echo", "hi"));
      for (let i = 0; i < 2; i++) {
        const worker = await stage.readyWorker(broker, "echo", version);
        assertEquals(`${(await worker.receive()).at(-1)}`, "hi");
        await worker.send(say(number(6)));
        await eventually(() => broker.stats().workers === 0);
      }
      const { queued, redelivered, expired, services } = broker.stats();
      assertEquals([queued, redelivered, expired, services], [0, 1, 1, 0]);
    });

    it(`${version}: what a lost worker had is before what came later`, async () => {
      const broker = await stage.broker({ ...SILENT, requestsPerWorker: 2 });
      const lost = await stage.readyWorker(broker, "echo", version);
      const client = stage.dealer(broker.lastEndpoint!, "me");
      for (const text of ["1", "2", "3"]) await client.send(ask(version, "echo", text));
      for (const text of ["1", "2"]) assertEquals(`${(await lost.receive()).at(-1)}`, text);
      await lost.send(say(number(6)));
      await eventually(() => broker.stats().queued === 3, WAIT_MS);
      const worker = await stage.readyWorker(broker, "echo", version);
      for (const text of ["1", "2", "3"]) {
        assertEquals(`${(await worker.receive()).at(-1)}`, text);
        await worker.send(say(number(4), "me", "", "x"));
      }
    });

    it(`${version}: sends no more heartbeats than one in an interval (MDP1-10)`, async () => {
      const broker = await stage.broker({ heartbeatInterval: 100, heartbeatLiveness: 100 });
      const start = performance.now();
      const worker = await stage.readyWorker(broker, "echo", version);
      for (let i = 0; i < 5; i++) await hearsNext(worker, ...say(number(5)));
      assert(performance.now() - start >= 450, "five intervals, less one step");
    });

    it(`${version}: answers mmi.service 200 and 404, any other mmi. 501, and has no worker for them (MMI-01, MMI-02, MMI-03, MMI-04)`, async () => {
      const broker = await stage.broker();
      const worker = await stage.readyWorker(broker, "echo", version);
      const client = stage.dealer(broker.lastEndpoint!);
      const codes = [["mmi.service", "echo", "200"], ["mmi.service", "nobody", "404"]];
      codes.push(["mmi.what", "ever", "501"], ["mmi.", "x", "501"]);
      for (const [service, body, code] of codes) {
        await client.send(ask(version, service, body));
        assertEquals(shown(await client.receive()).slice(-2), [service, code]);
      }
      const bold = stage.dealer(broker.lastEndpoint!);
      await bold.send(say(octet(1), "mmi.service"));
      await hearsNext(bold, ...disconnect);
      await worker.send(say(number(6)));
      await eventually(() => broker.stats().workers === 0);
      await client.send(ask(version, "mmi.service", "echo"));
      assertEquals(`${(await client.receive()).at(-1)}`, "404");
    });

    it(`${version}: drops what is invalid, counts it, and sends a worker away that says it (MDP1-07, ${rule}-06)`, async () => {
      const broker = await stage.broker();
      const reasons: string[] = [];
      broker.events.on("malformed", ({ reason }) => reasons.push(reason));
      const client = stage.dealer(broker.lastEndpoint!);
      const invalid: (string | Uint8Array)[][] = [
        ["hello"],
        [""],
        ["", ""],
        ["", "MDPX01", "echo", "x"],
        ["", "MDPC03", "echo", "x"],
        ["", "MDPC02", octet(1), "echo", "x"], // 0.2 has no empty frame
        ["MDPC01", "echo", "x"], // 0.1 has one
        ["", "MDPC01"],
        ["", "MDPC01", "echo"],
        ["", "MDPC01", "", "x"],
        ["", "MDPC01", "n".repeat(256), "x"],
        ["MDPC02", octet(2), "echo", "x"],
        ["MDPC02", "echo", "x"],
        ["MDPC02", octet(1), "echo"],
        say(),
        say(octet(0)),
        say(octet(7)),
        say("READY", "echo"),
        say(octet(1)),
        say(octet(1), ""),
        say(octet(1), "a", "b"),
        say(octet(2), "me", "", "x"),
        say(number(4), "me", "x"),
        say(number(4), "me", ""),
        say(number(5), "x"),
        ["hop", ...say(octet(1), "echo")], // a worker is no proxy
      ];
      for (const frames of invalid) await client.send(frames);
      await eventually(() => broker.stats().malformed === invalid.length, WAIT_MS);
      assertEquals(reasons.length, invalid.length);
      const { workers, services, requests, disconnects } = broker.stats();
      assertEquals([workers, services, requests, disconnects], [0, 0, 0, 0]);
      const worker = await stage.readyWorker(broker, "echo", version);
      await worker.send(say(octet(9)));
      await hearsNext(worker, ...disconnect);
      assertEquals(broker.stats().workers, 0);
    });
  }

  it("0.2: passes parts on, in order, and nothing after the end (MDP2-01, MDP2-02, MDP2-03)", async () => {
    const broker = await stage.broker();
    const worker = await stage.readyWorker(broker, "count", "0.2");
    const client = stage.dealer(broker.lastEndpoint!, "me");
    await client.send(ask("0.2", "count", "3"));
    await worker.receive();
    for (const body of ["1", "2"]) await worker.send(["MDPW02", octet(3), "me", "", body]);
    await worker.send(["MDPW02", octet(4), "me", "", "3"]);
    await worker.send(["MDPW02", octet(3), "me", "", "4"]); // sent away for it
    for (const [command, body] of [[2, "1"], [2, "2"], [3, "3"]] as const) {
      assertFrames(await client.receive(), ["MDPC02", octet(command), "count", body]);
    }
    await hearsNext(worker, "MDPW02", octet(6));
    await client.send(ask("0.2", "mmi.service", "count"));
    assertEquals(`${(await client.receive()).at(-1)}`, "404");
    assertEquals(broker.stats().partials, 2);
  });

  it("a client of 0.1 has the end of a reply of 0.2 alone, and one of 0.2 a reply of 0.1 as its end", async () => {
    const broker = await stage.broker();
    const worker = await stage.readyWorker(broker, "new", "0.2");
    const client = stage.dealer(broker.lastEndpoint!, "me");
    await client.send(ask("0.1", "new", "hi"));
    await worker.receive();
    await worker.send(["MDPW02", octet(3), "me", "", "part"]);
    await worker.send(["MDPW02", octet(4), "me", "", "end"]);
    assertFrames(await client.receive(), ["", "MDPC01", "new", "end"]);
    assertEquals(broker.stats().partialsDropped, 1);
    const old = await stage.readyWorker(broker, "old", "0.1");
    await client.send(ask("0.2", "old", "hi"));
    await old.receive();
    await old.send(["", "MDPW01", octet(3), "me", "", "reply"]);
    assertFrames(await client.receive(), ["MDPC02", octet(3), "old", "reply"]);
  });

  it("a worker keeps to the version of its READY", async () => {
    const broker = await stage.broker();
    const worker = await stage.readyWorker(broker, "echo", "0.2");
    await worker.send(["", "MDPW01", octet(4)]);
    await hearsNext(worker, "MDPW02", octet(6));
  });
});
