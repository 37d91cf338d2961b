// Sockets that accept a pair of web streams as a connection.

import { assertEquals, assertRejects } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import {
  Context,
  curveKeyPair,
  Dealer,
  Publisher,
  Pull,
  Push,
  Router,
  Subscriber,
} from "../../mod.ts";
import type { OctetStreams } from "../../src/link/web_stream.ts";
import { textOf } from "../_util/bytes.ts";
import { pause, within } from "../_util/deadline.ts";
import { RECEIVES, SENDS, SENDS_AND_RECEIVES } from "../_util/pairing.ts";
import { rejection } from "../_util/rejection.ts";
import { echo, exchange, GRID, MANY, Opened, receiveMany, sendMany } from "../_util/traffic.ts";

const SOME = { ...MANY, count: 2_000 };
const END_MS = 20_000;
const LOOK_MS = 2;
const LOOKS = 10_000;

/** Both ends of a connection that is nothing but web streams. */
function connection(): [OctetStreams, OctetStreams] {
  const there = new TransformStream<Uint8Array, Uint8Array>();
  const back = new TransformStream<Uint8Array, Uint8Array>();
  return [
    { readable: back.readable, writable: there.writable },
    { readable: there.readable, writable: back.writable },
  ];
}

describe("Socket.accept() of web streams", () => {
  const opened = new Opened();
  afterEach(() => opened.close());

  for (const [what, spec] of [["many messages", SOME], ["every size", GRID]] as const) {
    it(`carries ${what} one way`, async () => {
      const push = opened.add(new Push(SENDS));
      const pull = opened.add(new Pull(RECEIVES));
      const [one, other] = connection();
      void push.accept(one);
      void pull.accept(other);
      await Promise.all([sendMany(push, spec), receiveMany(pull, spec)]);
    });

    it(`carries ${what} both ways, with CURVE`, async () => {
      const { publicKey, secretKey } = curveKeyPair();
      const client = curveKeyPair();
      const router = opened.add(
        new Router({ ...SENDS_AND_RECEIVES, curveServer: true, curveSecretKey: secretKey }),
      );
      const dealer = opened.add(
        new Dealer({
          ...SENDS_AND_RECEIVES,
          curveServerKey: publicKey,
          curvePublicKey: client.publicKey,
          curveSecretKey: client.secretKey,
        }),
      );
      const [one, other] = connection();
      void router.accept(one);
      void dealer.accept(other);
      await Promise.all([echo(router, spec.count), exchange(dealer, spec)]);
    });
  }

  it("gives each connection a peer", async () => {
    const publisher = opened.add(new Publisher());
    const subscribers = [1, 2, 3].map(() => opened.add(new Subscriber(RECEIVES)));
    for (const subscriber of subscribers) {
      subscriber.subscribe("news");
      const [one, other] = connection();
      void publisher.accept(one);
      void subscriber.accept(other);
    }
    const joined = () => publisher.stats().peers.filter((peer) => peer.subscriptions === 1).length;
    for (let i = 0; i < LOOKS && joined() < 3; i++) await pause(LOOK_MS);
    await publisher.send(["news", "hello"]);
    for (const subscriber of subscribers) {
      assertEquals((await subscriber.receive()).map(textOf), ["news", "hello"]);
    }
  });

  it("resolves when the connection is closed, from either side", async () => {
    for (const closing of [0, 1]) {
      const sockets = [new Push(SENDS), new Pull(RECEIVES)] as const;
      sockets.forEach((socket) => opened.add(socket));
      const ends = connection();
      const over = [sockets[0].accept(ends[0]), sockets[1].accept(ends[1])];
      await sockets[0].send("last words");
      assertEquals((await sockets[1].receive()).map(textOf), ["last words"]);
      await sockets[closing].close();
      await within(Promise.all(over), END_MS, "the end of the connection");
      assertEquals(sockets[1 - closing].stats().peers, []);
    }
  });

  it("sends what waits before the connection ends with the socket", async () => {
    const push = opened.add(new Push({ ...SENDS, linger: 20_000 }));
    const pull = opened.add(new Pull(RECEIVES));
    const [one, other] = connection();
    void push.accept(one);
    void pull.accept(other);
    const receiving = receiveMany(pull, SOME);
    await sendMany(push, SOME);
    await push.close();
    await receiving;
  });

  it("waits for a peer that does not read", async () => {
    const push = opened.add(new Push({ sendTimeout: 300, sendHighWaterMark: 10, linger: 0 }));
    const pull = opened.add(new Pull({ ...RECEIVES, receiveHighWaterMark: 10 }));
    const [one, other] = connection();
    void push.accept(one);
    void pull.accept(other);
    const body = new Uint8Array(10_000);
    let sent = 0;
    await rejection(
      (async () => {
        for (;; sent++) await push.send(body);
      })(),
      "EAGAIN",
    );
    for (let i = 0; i < sent; i++) await pull.receive();
  });

  it("ends a connection whose peer speaks no ZMTP, and tells why", async () => {
    const pull = opened.add(new Pull(RECEIVES));
    const told = new Promise<string>((resolve) => {
      pull.events.on("handshake:error:protocol", ({ error }) => resolve(error.code ?? ""));
    });
    const [one, other] = connection();
    const over = pull.accept(one);
    const writer = other.writable.getWriter();
    writer.write(new TextEncoder().encode("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")).catch(
      () => {},
    );
    void other.readable.pipeTo(new WritableStream()).catch(() => {});
    await within(over, END_MS, "the end of the connection");
    assertEquals((await told).startsWith("ERR_ZMTP_"), true);
  });

  it("tells a connection that breaks, and serves the others", async () => {
    const pull = opened.add(new Pull(RECEIVES));
    const told = new Promise<string>((resolve) => {
      pull.events.on("handshake:error:other", ({ error }) => resolve(error.message));
    });
    const broken = new ReadableStream<Uint8Array>({
      start: (controller) => controller.error(new Error("it broke")),
    });
    await pull.accept({ readable: broken, writable: new WritableStream() });
    assertEquals(await told, "The connection was lost: it broke");
    const push = opened.add(new Push(SENDS));
    const [one, other] = connection();
    void push.accept(one);
    void pull.accept(other);
    await push.send("all the same");
    assertEquals((await pull.receive()).map(textOf), ["all the same"]);
  });

  it("admits no address that is not known where a filter asks for some", async () => {
    const pull = opened.add(new Pull({ ...RECEIVES, tcpAcceptFilter: "127.0.0.0/8" }));
    const told = new Promise<string>((resolve) => {
      pull.events.on("accept:error", ({ error }) => resolve(error.code ?? ""));
    });
    const [one] = connection();
    await within(pull.accept(one), END_MS, "the refusal");
    assertEquals(await told, "ENOTCONN");
  });

  it("refuses what is no connection, streams in use, and a closed socket", async () => {
    const pull = opened.add(new Pull(RECEIVES));
    for (const nothing of [null, 5, {}, { readable: new ReadableStream() }]) {
      const error = await assertRejects(() => pull.accept(nothing as OctetStreams), TypeError);
      assertEquals((error as { code?: string }).code, "EINVAL");
    }
    const [one] = connection();
    one.readable.getReader();
    const error = await assertRejects(() => pull.accept(one), TypeError, "locked");
    assertEquals((error as { code?: string }).code, "EINVAL");
    await pull.close();
    await rejection(pull.accept(connection()[0]), "EBADF");
  });

  it("ends its connections with its context", async () => {
    const context = new Context({ blocky: false });
    const pull = new Pull({ ...RECEIVES, context });
    const [one] = connection();
    const accepted = new Promise((resolve) => pull.events.on("accept", resolve));
    const over = pull.accept(one);
    await accepted;
    await context.terminate();
    await within(over, END_MS, "the end of the connection");
  });
});
