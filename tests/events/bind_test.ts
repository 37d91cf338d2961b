// The events of listening: bind, bind:error, close and close:error.

import { assert, assertEquals } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Pull, Router } from "../../mod.ts";
import { anywhere, TRANSPORTS } from "../_util/anywhere.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { EventLog, plain } from "../_util/event_log.ts";
import { failure, rejection } from "../_util/rejection.ts";

interface FileSystem {
  rmSync(path: string, options: { recursive: boolean }): void;
  writeFileSync(path: string, text: string): void;
}

const { process } = globalThis as unknown as {
  process: { getBuiltinModule(name: "node:fs"): FileSystem };
};
/** TEST-NET-1, which no machine has. */
const NOT_OURS = "tcp://192.0.2.1:*";
const cleanup = new Cleanup();

function open(): [Pull, EventLog] {
  const pull = cleanup.add(new Pull());
  return [pull, new EventLog(pull)];
}

for (const transport of TRANSPORTS) {
  describe(`listening on ${transport}`, () => {
    afterEach(() => cleanup.run());

    it("is told with the endpoint as peers can use it", async () => {
      const [pull, log] = open();
      await pull.bind(anywhere(transport));
      assertEquals(plain(await log.next("bind")), { type: "bind", address: pull.lastEndpoint! });
      assert(!pull.lastEndpoint!.includes("*"));
      assertEquals(log.types, ["bind"]);
    });

    it("is told once for each endpoint", async () => {
      const [pull, log] = open();
      const endpoints: string[] = [];
      for (let i = 0; i < 3; i++) {
        await pull.bind(anywhere(transport));
        endpoints.push(pull.lastEndpoint!);
      }
      await log.isExactly("bind", "bind", "bind");
      assertEquals(log.of("bind").map(({ address }) => address), endpoints);
    });

    it("is told of bindSync too", async () => {
      const [pull, log] = open();
      pull.bindSync(anywhere(transport));
      assertEquals((await log.next("bind")).address, pull.lastEndpoint);
    });

    it("tells when the address is taken, and nothing else", async () => {
      const [pull, log] = open();
      const holder = cleanup.add(new Router());
      await holder.bind(anywhere(transport));
      const address = holder.lastEndpoint!;
      const expected = { type: "bind:error", address, error: "EADDRINUSE" };
      const error = await rejection(pull.bind(address), "EADDRINUSE");
      const event = await log.next("bind:error");
      assertEquals(plain(event), expected);
      assertEquals(event.error.message, error.message);
      failure(() => pull.bindSync(address), "EADDRINUSE");
      assertEquals(plain(await log.next("bind:error")), expected);
      assertEquals(log.types, ["bind:error", "bind:error"]);
    });

    it("ends with close when it is unbound", async () => {
      const [pull, log] = open();
      await pull.bind(anywhere(transport));
      const first = pull.lastEndpoint!;
      await pull.bind(anywhere(transport));
      await pull.unbind(first);
      assertEquals(plain(await log.next("close")), { type: "close", address: first });
      assertEquals(log.types, ["bind", "bind", "close"]);
    });

    it("ends with close when it is unbound by unbindSync", async () => {
      const [pull, log] = open();
      pull.bindSync(anywhere(transport));
      pull.unbindSync(pull.lastEndpoint!);
      await log.isExactly("bind", "close");
      assertEquals(log.of("close")[0].address, log.of("bind")[0].address);
    });

    it("ends with close for each endpoint, then end, when the socket is closed", async () => {
      const [pull, log] = open();
      await pull.bind(anywhere(transport));
      await pull.bind(anywhere(transport));
      await pull.close();
      await log.over;
      assertEquals(log.types, ["bind", "bind", "close", "close", "end"]);
      const addresses = (type: "bind" | "close") => log.of(type).map(({ address }) => address);
      assertEquals(addresses("close").sort(), addresses("bind").sort());
      assertEquals(log.of("close").map(({ error }) => error), [undefined, undefined]);
      assertEquals(plain(log.all.at(-1)!), { type: "end" });
    });
  });
}

describe("listening", () => {
  afterEach(() => cleanup.run());

  it("tells of an address that the machine does not have", async () => {
    const [pull, log] = open();
    await rejection(pull.bind(NOT_OURS), "EADDRNOTAVAIL");
    const expected = { type: "bind:error", address: NOT_OURS, error: "EADDRNOTAVAIL" };
    assertEquals(plain(await log.next("bind:error")), expected);
    assertEquals(log.types, ["bind:error"]);
  });

  it("tells when it cannot remove the folder that it made", async () => {
    const { rmSync, writeFileSync } = process.getBuiltinModule("node:fs");
    const [pull, log] = open();
    await pull.bind("ipc://*");
    const address = pull.lastEndpoint!;
    const folder = address.slice("ipc://".length, address.lastIndexOf("/"));
    writeFileSync(`${folder}/stranger`, "text");
    try {
      await pull.unbind(address);
      const event = await log.next("close:error");
      assertEquals(plain(event), { type: "close:error", address, error: "ENOTEMPTY" });
      await log.next("close");
      assertEquals(log.types, ["bind", "close:error", "close"]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
