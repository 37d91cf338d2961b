// TLS over the runtime's sockets: who is let through, what closes how, and that nobody's memory fills up.

import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { ZmqError } from "../../mod.ts";
import type { TlsTrust } from "../../src/link/stream.ts";
import { detectRuntime } from "../../src/runtime/detect.ts";
import {
  AUTHORITY,
  CHAINED,
  EXPIRED,
  NAMED,
  OTHER_AUTHORITY,
  SERVER,
  STRANGER,
  type TestIdentity,
} from "../_util/certificates.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { eventually, pause } from "../_util/deadline.ts";
import { connectTo, Door, type End, pairOf, TRUST } from "../_util/tls_ends.ts";

const MUST_MS = 20_000;
const cleanup = new Cleanup();
const tls = detectRuntime().tls!;

function octets(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** More octets than the buffers of a connection hold. */
const TOO_MUCH = 200_000_000;
const BROKEN = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

describe("TLS", () => {
  afterEach(() => cleanup.run());

  const welcome: Readonly<Record<string, [TestIdentity, Partial<TlsTrust>]>> = {
    "a name of the certificate": [SERVER, { hostname: "peer.test" }],
    "an address of the certificate": [SERVER, { hostname: "127.0.0.1" }],
    "any name, where that is wanted": [NAMED, { verifyName: false }],
    "one authority of several": [SERVER, { authorities: OTHER_AUTHORITY + AUTHORITY }],
    "the authorities of the system and one more": [SERVER, { system: true }],
    "a certificate by an authority between": [CHAINED, {}],
  };
  for (const [what, [identity, trust]] of Object.entries(welcome)) {
    it(`lets through ${what}`, async () => {
      const { client, server } = await pairOf(cleanup, identity, { ...TRUST, ...trust });
      await server.write(octets("welcome"));
      await client.reads("welcome");
    });
  }

  const unwelcome: Readonly<Record<string, [TestIdentity, Partial<TlsTrust>, RegExp]>> = {
    "another name": [NAMED, {}, /not for "localhost"; wssHostname/],
    "an address that is not of the certificate": [
      NAMED,
      { hostname: "127.0.0.1" },
      /not for "127.0.0.1"; wssHostname/,
    ],
    "an authority that is not trusted": [STRANGER, {}, /no authority that is trusted; wssTrustPem/],
    "that authority, where any name will do": [STRANGER, { verifyName: false }, /wssTrustPem/],
    "an authority that the system does not know": [
      SERVER,
      { authorities: undefined, system: true },
      /wssTrustPem/,
    ],
    "a certificate that is out of date": [EXPIRED, {}, /out of date/],
  };
  for (const [what, [identity, trust, says]] of Object.entries(unwelcome)) {
    it(`does not say a word to ${what}`, async () => {
      const door = await Door.open(cleanup, identity);
      const client = (await connectTo(door.at, cleanup, { ...TRUST, ...trust })).start();
      const server = (await door.next()).start();
      client.offer(octets("secret"));
      const error = await client.ends();
      assertInstanceOf(error, ZmqError);
      assertEquals(error.code, "ERR_TLS_CERTIFICATE", error.message);
      assert(says.test(error.message), error.message);
      const other = await server.ends() as ZmqError;
      // Some runtimes tell the server only after TLS stood for it.
      if (other !== undefined) assertEquals(other.code, "ERR_TLS_HANDSHAKE", other.message);
      assertEquals(server.received, 0);
      assertEquals(client.taken, 0);
    });
  }

  it("names a server that does not speak it", async () => {
    const door = await Door.open(cleanup);
    const client = (await connectTo(door.at, cleanup, TRUST)).start();
    const server = (await door.next()).start();
    server.offer(octets("220 mail.example ESMTP\r\n"));
    const error = await client.ends() as ZmqError;
    assertEquals(error.code, "ERR_TLS_HANDSHAKE");
    assert(/does not speak TLS/.test(error.message), error.message);
  });

  it("names a client that does not speak it", async () => {
    const door = await Door.open(cleanup, SERVER);
    const client = (await connectTo(door.at, cleanup)).start();
    const server = (await door.next()).start();
    client.offer(octets("GET / HTTP/1.1\r\n\r\n"));
    const error = await server.ends() as ZmqError;
    assertEquals(error.code, "ERR_TLS_HANDSHAKE");
    assert(/does not speak TLS/.test(error.message), error.message);
    await client.ends();
  });

  it("names a peer that goes before it stands", async () => {
    const door = await Door.open(cleanup, SERVER);
    const client = (await connectTo(door.at, cleanup)).start();
    const server = (await door.next()).start();
    client.stream.close();
    const error = await server.ends() as ZmqError;
    assertEquals(error.code, "ERR_TLS_HANDSHAKE");
    const plain = await Door.open(cleanup);
    const other = (await connectTo(plain.at, cleanup, TRUST)).start();
    (await plain.next()).start().stream.abort();
    assertEquals((await other.ends() as ZmqError).code, "ERR_TLS_HANDSHAKE");
  });

  it("has the addresses of the connection", async () => {
    const { client, server } = await pairOf(cleanup, SERVER);
    assertEquals(client.stream.remote, server.stream.local);
    assertEquals(client.stream.local, server.stream.remote);
  });

  it("carries octets both ways at once, in order and unharmed", async () => {
    const { client, server } = await pairOf(cleanup, SERVER);
    server.chunks.length = 0;
    const message = new Uint8Array(3_000_000);
    for (let i = 0; i < message.length; i++) message[i] = (i * 7) ^ (i >> 8);
    // As a part of its buffer, too: that is lent for the call only.
    const lent = new Uint8Array(message.length + 1);
    lent.set(message, 1);
    const sending = client.write(lent.subarray(1));
    lent.fill(0);
    await Promise.all([sending, server.write(message)]);
    for (const end of [client, server]) {
      const complete = () =>
        end.chunks.reduce((sum, { length }) => sum + length, 0) >= message.length;
      await eventually(complete, MUST_MS, "all of it came");
      let at = 0;
      for (const chunk of end.chunks) {
        for (let i = 0; i < chunk.length; i++) {
          if (chunk[i] !== message[at + i]) throw new Error(`octet ${at + i} is wrong`);
        }
        at += chunk.length;
      }
      assertEquals(at, message.length);
    }
  });

  for (const side of ["client", "server"] as const) {
    it(`keeps the ${side}'s peer waiting while it does not read`, async () => {
      const pair = await pairOf(cleanup, SERVER);
      const reader = pair[side];
      const writer = pair[side === "client" ? "server" : "client"];
      reader.keeps = false;
      const before = reader.received;
      const all = writer.taken + TOO_MUCH;
      reader.stream.pause();
      writer.piece = 256 * 1024;
      writer.offer(new Uint8Array(TOO_MUCH));
      // It has stopped when nothing more is taken for a while.
      let taken = -1;
      while (taken !== writer.taken) {
        taken = writer.taken;
        await pause(500);
      }
      assert(taken < all / 2, `${taken} were taken`);
      assert(reader.received - before < 1_000_000, "it reads on");
      reader.stream.resume();
      const complete = () => reader.received - before === TOO_MUCH;
      await eventually(complete, 3 * MUST_MS, "it all comes in the end");
      await eventually(() => writer.taken === all, MUST_MS, "and is taken");
    });
  }

  for (const side of ["client", "server"] as const) {
    it(`sends what was written before a close, by the ${side}`, async () => {
      const pair = await pairOf(cleanup, SERVER);
      const closing = pair[side];
      const other = pair[side === "client" ? "server" : "client"];
      const before = other.received;
      await closing.write(new Uint8Array(1_000_000));
      closing.stream.close();
      assertEquals(await other.ends(), undefined);
      assertEquals(other.received - before, 1_000_000);
      assertEquals(await closing.ends(), undefined);
    });

    it(`ends at once for the ${side} that aborts, and soon for its peer`, async () => {
      const pair = await pairOf(cleanup, SERVER);
      pair[side].stream.abort();
      assertEquals(await pair[side].ends(), undefined);
      await pair[side === "client" ? "server" : "client"].ends();
    });
  }

  it("ends with an error when somebody in between changes an octet", async () => {
    const door = await Door.open(cleanup, SERVER);
    const middle = await Door.open(cleanup);
    const client = (await connectTo(middle.at, cleanup, TRUST)).start();
    const near = (await middle.next()).start();
    const far = (await connectTo(door.at, cleanup)).start();
    const server = (await door.next()).start();
    let changes = false;
    const forward = async (from: End, to: End): Promise<void> => {
      while (!from.gone && !to.gone) {
        for (const chunk of from.chunks.splice(0)) {
          if (changes && from === near) chunk[chunk.length - 1] ^= 1;
          await to.write(chunk);
        }
        await pause(1);
      }
      to.stream.abort();
    };
    const forwarding = [forward(near, far), forward(far, near)];
    client.offer(octets("hello"));
    await server.reads("hello");
    changes = true;
    client.offer(octets("forged"));
    assertEquals((await server.ends() as ZmqError).code, "ERR_TLS_RECORD");
    assertEquals(server.text, "hello");
    await client.ends();
    await Promise.all(forwarding);
  });

  it("can be closed before it stands, and before it was started", async () => {
    const door = await Door.open(cleanup);
    for (const start of [true, false]) {
      for (const how of ["close", "abort"] as const) {
        const end = await connectTo(door.at, cleanup, TRUST);
        if (start) end.start();
        end.stream[how]();
        await (await door.next()).start().ends();
        if (start) assertEquals(await end.ends(), undefined);
      }
    }
  });

  it("does not read a client before it is started", async () => {
    const door = await Door.open(cleanup, SERVER);
    const client = (await connectTo(door.at, cleanup, TRUST)).start();
    client.offer(octets("hello"));
    const server = await door.next();
    await pause(100);
    assertEquals(client.taken, 0);
    server.start();
    await server.reads("hello");
  });

  const identities: Readonly<Record<string, [Partial<TestIdentity>, string]>> = {
    "text that is no key": [{ key: "garbage" }, "wssKeyPem cannot be read as a private key"],
    "text that is no certificate": [{ certificate: "garbage" }, "wssCertPem holds no certificate"],
    "the key of another": [{ key: NAMED.key }, "wssKeyPem is not the key of the first certificate"],
    "a broken certificate": [{ certificate: BROKEN }, "the certificate in wssCertPem cannot be"],
    "a broken one behind": [
      { certificate: SERVER.certificate + BROKEN },
      "certificate 2 in wssCertPem cannot be",
    ],
  };
  for (const [what, [wrong, says]] of Object.entries(identities)) {
    it(`does not listen with ${what}`, () => {
      const error = assertThrows(() => tls.listen({ ...SERVER, ...wrong }), ZmqError, says);
      assertEquals(error.code, "EINVAL");
      assert(!error.message.includes("BEGIN"), error.message);
    });
  }

  it("does not connect with authorities that it cannot read, and leaves nothing open", async () => {
    const door = await Door.open(cleanup);
    for (const authorities of ["garbage", BROKEN, AUTHORITY + BROKEN]) {
      let error: unknown;
      await connectTo(door.at, cleanup, { ...TRUST, authorities }).catch((e) => error = e);
      assertInstanceOf(error, ZmqError);
      assertEquals(error.code, "EINVAL");
      assert(error.message.includes("wssTrustPem"), error.message);
      await (await door.next()).start().ends();
    }
  });
});
