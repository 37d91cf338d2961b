// What peers say about themselves: properties without number or end, names that are none, names that are ours. All of it is in
// one command of 8 kB at most, read or refused as a whole, and nobody says of himself who let him in.

import { assert, assertEquals, assertLess } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { metadataOf, Pull } from "../../mod.ts";
import { assertFrames, utf8 } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { properties } from "../_util/curve_commands.ts";
import { HostileStage, isOver, take } from "../_util/hostile_stage.ts";
import { memoryInUse } from "../_util/memory.ts";
import { concat, pattern } from "../_util/octets.ts";
import { command, greeting, longHeader, message } from "../_util/raw_zmtp.ts";

const MB = 1_000_000;
const LIMIT = 8 * 1024;
const METADATA = "ERR_ZMTP_INVALID_METADATA";
const cleanup = new Cleanup();

type Property = readonly [string, Uint8Array | string];

const PUSH: Property = ["Socket-Type", "PUSH"];

function opened(): Promise<HostileStage<Pull>> {
  return HostileStage.open(
    cleanup,
    "PUSH",
    (context) => new Pull({ context, attachMetadata: true }),
  );
}

function readyWith(...pairs: readonly Property[]): Uint8Array {
  return command("READY", properties(...pairs));
}

/** A READY whose command has so many octets in all. */
function readyOf(size: number): Uint8Array {
  const rest = 1 + "READY".length + properties(PUSH, ["X-Fill", ""]).length;
  return readyWith(PUSH, ["X-Fill", pattern(size - rest)]);
}

/** As many properties as fit, each of six octets. */
const THOUSANDS: readonly Property[] = Array.from({ length: 1_300 }, (_, i) => {
  const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.+";
  return [letters[i % letters.length], ""];
});

describe("a peer whose READY", () => {
  afterEach(() => cleanup.run());

  const welcome: Readonly<Record<string, Uint8Array>> = {
    "has 8192 octets": readyOf(LIMIT),
    "has more than a thousand properties": readyWith(PUSH, ...THOUSANDS),
    "has a property that nobody knows": readyWith(["Resource", "there"], PUSH),
    "has names of its own application": readyWith(PUSH, ["X-Name", "value"], ["X-", "short"]),
    "has a name of 255 octets": readyWith(PUSH, ["X-".padEnd(255, "n"), "value"]),
    "says the same thing twice": readyWith(PUSH, ["X-A", "first"], ["x-a", "second"]),
    "has values of all octets": readyWith(PUSH, ["X-All", pattern(256)]),
    "is written in small letters": readyWith(["socket-type", "PUSH"]),
  };
  for (const [what, ready] of Object.entries(welcome)) {
    it(`${what} is welcome, however it comes`, async () => {
      for (const cut of [Infinity, 1, 100]) {
        const stage = await opened();
        const peer = stage.stranger();
        peer.deliver(concat(greeting(), ready, message("in")), cut);
        assert(!isOver(peer), stage.log.types.join());
        assertFrames(await take(stage.socket), ["in"]);
        await cleanup.run();
      }
    });
  }

  const cut = properties(PUSH).subarray(0, -1);
  const refused: Readonly<Record<string, [Uint8Array, string, RegExp]>> = {
    "has 8193 octets": [readyOf(LIMIT + 1), "EMSGSIZE", /\b8193\b.*\b8192\b/],
    "announces a gigabyte": [longHeader(1_000_000_000n, 4), "EMSGSIZE", /1000000000.*8192/],
    "announces 2^64 - 1 octets": [longHeader(2n ** 64n - 1n, 4), "EMSGSIZE", /8192/],
    "ends in the middle of a value": [command("READY", cut), METADATA, /./],
    "ends in the middle of a size": [
      command("READY", properties(PUSH).subarray(0, 14)),
      METADATA,
      /./,
    ],
    "has a value that is announced only": [
      command("READY", concat(properties(PUSH), Uint8Array.of(1, 0x58, 127, 255, 255, 255))),
      METADATA,
      /./,
    ],
    "has a name without letters": [readyWith(PUSH, ["", "value"]), METADATA, /./],
    "has a name with a blank": [readyWith(PUSH, ["X A", "value"]), METADATA, /./],
    "has a name with a zero": [readyWith(PUSH, ["X-\0", "value"]), METADATA, /./],
    "names two types": [readyWith(PUSH, ["Socket-Type", "PUB"]), METADATA, /./],
    "names a type of a kilobyte": [readyWith(["Socket-Type", "P".repeat(1_000)]), METADATA, /./],
    "has a routing id of 256 octets": [
      readyWith(PUSH, ["Identity", pattern(256)]),
      METADATA,
      /\b256\b.*\b255\b/,
    ],
    "has a routing id of 8 kB": [readyWith(PUSH, ["Identity", pattern(8_000)]), METADATA, /8000/],
  };
  for (const [what, [ready, code, says]] of Object.entries(refused)) {
    it(`${what} is thrown out, however it comes, and told why`, async () => {
      for (const cut of [Infinity, 1, 100]) {
        const stage = await opened();
        const healthy = stage.insider();
        const peer = stage.stranger();
        peer.deliver(concat(greeting(), ready, message("not in")), cut);
        assert(isOver(peer));
        await stage.tells("handshake:error:protocol", code, says);
        healthy.deliver(message("healthy"));
        assertFrames(await take(stage.socket), ["healthy"]);
        assertEquals(stage.socket.readable, false);
        await cleanup.run();
      }
    });
  }

  it("says who let it in is not believed", async () => {
    const stage = await opened();
    const peer = stage.stranger();
    const lies: Property[] = [["User-Id", "root"], ["Peer-Address", "10.0.0.1"]];
    peer.deliver(concat(greeting(), readyWith(PUSH, ...lies, ["X-Mine", "kept"]), message("in")));
    const metadata = metadataOf(await take(stage.socket) as never)!;
    assertEquals(metadata.get("X-Mine"), "kept");
    assertEquals(metadata.get("User-Id"), undefined);
    assertEquals(metadata.get("Peer-Address"), "127.0.0.1");
  });

  it("is as large as can be costs no more than that, and not after its end", async () => {
    const stage = await opened();
    const octets = concat(greeting(), readyOf(LIMIT), message("in"));
    const round = (): void => {
      for (let i = 0; i < 300; i++) {
        const peer = stage.stranger();
        peer.deliver(octets);
        peer.end();
      }
    };
    const readAll = async (): Promise<void> => {
      while (stage.socket.readable) await take(stage.socket);
      stage.log.all.length = 0;
    };
    round();
    await readAll();
    const before = memoryInUse();
    round();
    // Unread messages keep what their senders said of themselves.
    assertLess(memoryInUse() - before, 300 * 30_000);
    await readAll();
    assertLess(memoryInUse() - before, 2 * MB);
    assertEquals(stage.socket.stats().peers.length, 0);
  });

  it("says nothing of its type is let in as any type would be", async () => {
    const stage = await opened();
    const peer = stage.stranger();
    peer.deliver(concat(greeting(), readyWith(["X-Only", utf8("this")]), message("in")));
    assertFrames(await take(stage.socket), ["in"]);
  });
});
