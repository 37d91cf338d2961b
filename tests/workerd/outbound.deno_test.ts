// Sockets of a worker that connect to libzmq over tcp, on the real workerd.

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { after, before, describe, it } from "@std/testing/bdd";
import { curveKeyPair, Pull } from "../../mod.ts";
import { AUTHORITY } from "../_util/certificates.ts";
import { type MessageSpec, type Peer, type PeerSocket, startPeer } from "../_util/peer.ts";
import { SocksServer } from "../_util/socks_server.ts";
import { GRID, MANY } from "../_util/traffic.ts";
import { Workerd } from "./workerd.ts";

const WORKER = "tests/workerd/programs/outbound.ts";

function query(to: string, spec: MessageSpec): { to: string; spec: string } {
  return { to, spec: JSON.stringify(spec) };
}

describe("a worker on workerd", () => {
  let workerd: Workerd;
  let peer: Peer;
  before(async () => {
    peer = startPeer();
    workerd = await Workerd.start(WORKER);
  });
  after(async () => {
    await peer.stop();
    await workerd?.kill();
  });

  for (const [what, spec] of [["10 000 messages", MANY], ["every size", GRID]] as const) {
    it(`pushes ${what} to libzmq's PULL`, async () => {
      const pull = await peer.open("Pull");
      const to = await pull.bind();
      const [sent] = await Promise.all([
        workerd.ask("/push", query(to, spec)),
        pull.receiveMany(spec),
      ]);
      assertEquals(sent, spec.count);
    });

    it(`asks libzmq's REP, ${what}`, () => echoes("Reply", "/request", spec));
    it(`exchanges ${what} with libzmq's ROUTER`, () => echoes("Router", "/dealer", spec));

    it(`subscribes to ${what} of libzmq's XPUB`, async () => {
      const publisher = await peer.open("XPublisher", { sendHighWaterMark: 0 });
      const to = await publisher.bind();
      const got = workerd.ask<number>("/subscribe", query(to, spec));
      await publisher.receive(); // its subscription
      await publisher.sendMany(spec);
      assert(await got >= spec.count);
    });
  }

  async function echoes(
    type: "Reply" | "Router",
    path: string,
    spec: MessageSpec,
    use: (to: string) => Record<string, string> = () => ({}),
    options: Record<string, string | boolean> = {},
  ): Promise<void> {
    const echoing: PeerSocket = await peer.open(type, options);
    const to = await echoing.bind();
    const [count] = await Promise.all([
      workerd.ask(path, { ...query(to, spec), ...use(to) }),
      echoing.echo(spec.count),
    ]);
    assertEquals(count, spec.count);
    await echoing.close();
  }

  it("exchanges 10 000 messages over CURVE", async () => {
    const { publicKey, secretKey } = curveKeyPair();
    const options = { curveServer: true, curveSecretKey: secretKey };
    await echoes("Router", "/curve", MANY, () => ({ key: publicKey }), options);
  });

  it("finds a host by its name", async () => {
    const pull = await peer.open("Pull");
    const to = (await pull.bind()).replace("127.0.0.1", "localhost");
    const few = { ...MANY, count: 10 };
    await Promise.all([workerd.ask("/push", query(to, few)), pull.receiveMany(few)]);
  });

  it("connects through a SOCKS proxy", async () => {
    const proxy = await SocksServer.listen();
    const options = JSON.stringify({ socksProxy: proxy.address });
    await echoes("Router", "/dealer", { ...MANY, count: 100 }, () => ({ options }));
    assertEquals(proxy.requests.length, 1);
    proxy.close();
  });

  it("waits for a peer that is not there yet", async () => {
    const early = await peer.open("Pull");
    const to = await early.bind();
    await early.close();
    const few = { ...MANY, count: 10 };
    const sent = workerd.ask("/push", query(to, few));
    const event = await workerd.ask<{ code: string; message: string }>("/event", {
      to,
      type: "connect:retry",
    });
    assertEquals(event.code, "ECONNREFUSED");
    assertStringIncludes(event.message, `could not connect to ${to.slice("tcp://".length)}`);
    const pull = await peer.open("Pull");
    await pull.bind(to);
    await pull.receiveMany(few);
    assertEquals(await sent, few.count);
  });

  it("waits for a peer that does not read", async () => {
    const deaf = new Pull({ receiveHighWaterMark: 10, linger: 0 });
    await deaf.bind("tcp://127.0.0.1:*");
    const taken = await workerd.ask<number>("/flood", { to: deaf.lastEndpoint! });
    assert(taken > 0 && taken < 5_000, `${taken} messages of 20 kB were taken`);
    await deaf.close();
  });

  it("has a context for each socket that is not given one", async () => {
    const { apart, together } = await workerd.ask<{ apart: boolean; together: string }>(
      "/contexts",
    );
    assertEquals([apart, together], [true, "over inproc"]);
  });

  it("serves others when a handler leaves its sockets open", async () => {
    const router = await peer.open("Router");
    const to = await router.bind();
    for (let i = 0; i < 20; i++) await workerd.ask("/forget", { to });
    await echoes("Router", "/dealer", { ...MANY, count: 100 });
  });

  const refusals: readonly [use: string, endpoint: string, options: object, why: RegExp][] = [
    ["bind", "tcp://127.0.0.1:*", {}, /ENOTSUP .*workerd cannot listen;.*accept\(\)/],
    ["bindSync", "tcp://127.0.0.1:*", {}, /ENOTSUP .*workerd cannot listen/],
    ["bind", "ws://127.0.0.1:*", {}, /ENOTSUP .*workerd cannot listen/],
    ["bind", "ipc://*", {}, /ENOTSUP .*workerd has no local sockets/],
    ["connect", "ipc:///tmp/x", {}, /ENOTSUP .*workerd has no local sockets/],
    ["connect", "tcp://127.0.0.1:0;127.0.0.1:5555", {}, /ENOTSUP .*where a connection starts/],
    ["connect", "tcp://127.0.0.1:5555", { tcpKeepalive: 1 }, /ENOTSUP .* tcpKeepalive;/],
    ["connect", "tcp://127.0.0.1:5555", { tcpKeepaliveIdle: 9 }, /ENOTSUP .* tcpKeepaliveIdle;/],
    ["connect", "wss://127.0.0.1:5555", { wssTrustPem: AUTHORITY }, /ENOTSUP .* wssTrustPem/],
    ["connect", "wss://127.0.0.1:5555", { wssHostname: "" }, /ENOTSUP .* wssHostname/],
    ["connect", "wss://127.0.0.1:5555", { socksProxy: "127.0.0.1:9" }, /ENOTSUP .* socksProxy/],
  ];
  for (const [use, endpoint, options, why] of refusals) {
    it(`refuses ${use}(${endpoint}) with [${Object.keys(options)}] by name`, async () => {
      const told = await workerd.ask<string>("/refusal", {
        use,
        endpoint,
        options: JSON.stringify(options),
      });
      assertMatch(told, why);
    });
  }
});
