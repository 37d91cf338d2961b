// wss:// between sockets of this process: what flows, who is refused and why, and that others are served meanwhile.

import { assert, assertEquals } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import {
  curveKeyPair,
  Dealer,
  Pair,
  Publisher,
  Pull,
  Push,
  Reply,
  Request,
  type Socket,
  Subscriber,
} from "../../mod.ts";
import { assertFrames } from "../_util/bytes.ts";
import {
  AUTHORITY,
  EXPIRED,
  NAMED,
  SERVER,
  STRANGER,
  type TestIdentity,
} from "../_util/certificates.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { EventLog } from "../_util/event_log.ts";
import { portOf } from "../_util/ports.ts";
import { dial, type RawConnection } from "../_util/raw_peer.ts";
import { TlsBalancer } from "../_util/tls_balancer.ts";
import { SocksServer } from "../_util/socks_server.ts";

const MUST_MS = 20_000;
const ANY = "wss://127.0.0.1:*";
const cleanup = new Cleanup();

function serverOf({ key, certificate }: TestIdentity): object {
  return { wssKeyPem: key, wssCertPem: certificate };
}

const SERVES = serverOf(SERVER);
const TRUSTS = { wssTrustPem: AUTHORITY, wssHostname: "localhost", reconnectInterval: 20 };

/** A socket that lingers and waits for no longer than a test may take. */
function open<T extends Socket>(Type: new (options: object) => T, options: object): T {
  const socket = cleanup.add(new Type({ linger: 0, ...options }));
  for (const name of ["receiveTimeout", "sendTimeout"]) {
    if (name in socket && !(name in options)) Object.assign(socket, { [name]: MUST_MS });
  }
  return socket;
}

/** One message through a socket that has just been connected. */
async function isServed(pull: Pull): Promise<void> {
  const push = open(Push, TRUSTS);
  push.connect(pull.lastEndpoint!);
  await push.send("served");
  assertFrames(await pull.receive(), ["served"]);
}

describe("wss", () => {
  afterEach(() => cleanup.run());

  it("is the transport of the endpoint that bind answers, with the path", async () => {
    const pull = open(Pull, SERVES);
    await pull.bind(`${ANY}/messages?of=today`);
    assert(/^wss:\/\/127\.0\.0\.1:\d+\/messages\?of=today$/.test(pull.lastEndpoint!));
    await isServed(pull);
  });

  it("binds within a call, too", async () => {
    const pull = open(Pull, SERVES);
    pull.bindSync(ANY);
    await isServed(pull);
  });

  it("expects the host of the endpoint where no name is set", async () => {
    const pull = open(Pull, SERVES);
    await pull.bind(ANY);
    for (const host of ["localhost", "127.0.0.1"]) {
      const push = open(Push, { ...TRUSTS, wssHostname: null });
      push.connect(`wss://${host}:${portOf(pull.lastEndpoint)}`);
      await push.send(host);
      assertFrames(await pull.receive(), [host]);
    }
  });

  it("tells the protocol, and that of its peers", async () => {
    const reply = open(Reply, SERVES);
    const log = new EventLog(reply);
    await reply.bind(ANY);
    const request = open(Request, TRUSTS);
    request.connect(reply.lastEndpoint!);
    await request.send("how are you?");
    assertFrames(await reply.receive(), ["how are you?"]);
    await reply.send("well");
    assertFrames(await request.receive(), ["well"]);
    assertEquals((await log.next("handshake")).protocol, "ZWS2.0");
  });

  it("carries messages of all sizes both ways", async () => {
    const one = open(Pair, SERVES);
    await one.bind(ANY);
    const other = open(Pair, TRUSTS);
    other.connect(one.lastEndpoint!);
    for (const size of [0, 1, 125, 126, 16_383, 16_384, 65_536, 1_000_000, 20_000_000]) {
      const body = new Uint8Array(size).map((_, i) => (i * 31) ^ (i >> 8));
      for (const [from, to] of [[one, other], [other, one]]) {
        await from.send(["size", body]);
        const [head, got] = await to.receive();
        assertFrames([head], ["size"]);
        assertEquals(got.length, size);
        assert(got.every((octet, i) => octet === body[i]), `the octets of ${size}`);
      }
    }
  });

  it("publishes", async () => {
    const publisher = open(Publisher, SERVES);
    await publisher.bind(ANY);
    const subscriber = open(Subscriber, TRUSTS);
    subscriber.subscribe("a");
    subscriber.connect(publisher.lastEndpoint!);
    const got = subscriber.receive();
    let over = false;
    void got.finally(() => over = true);
    while (!over) {
      await publisher.send("b");
      await publisher.send("a");
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    assertFrames(await got, ["a"]);
  });

  it("has room for CURVE inside", async () => {
    const server = curveKeyPair();
    const client = curveKeyPair();
    const pull = open(Pull, {
      ...SERVES,
      curveServer: true,
      curveSecretKey: server.secretKey,
    });
    await pull.bind(ANY);
    const push = open(Push, {
      ...TRUSTS,
      curveServerKey: server.publicKey,
      curveSecretKey: client.secretKey,
    });
    const log = new EventLog(push);
    push.connect(pull.lastEndpoint!);
    await push.send("twice secret");
    assertFrames(await pull.receive(), ["twice secret"]);
    assertEquals((await log.next("handshake")).protocol, "ZWS2.0");
  });

  it("loses nothing when it closes behind its messages", async () => {
    const pull = open(Pull, SERVES);
    await pull.bind(ANY);
    const push = open(Push, { ...TRUSTS, linger: -1 });
    push.connect(pull.lastEndpoint!);
    for (let i = 0; i < 1_000; i++) await push.send(`${i}`);
    const closed = push.close();
    for (let i = 0; i < 1_000; i++) assertFrames(await pull.receive(), [`${i}`]);
    await closed;
  });

  it("makes a sender wait that its receiver does not read", async () => {
    const pull = open(Pull, { ...SERVES, receiveHighWaterMark: 10 });
    await pull.bind(ANY);
    const push = open(Push, { ...TRUSTS, sendHighWaterMark: 10, sendTimeout: 1_000 });
    push.connect(pull.lastEndpoint!);
    const body = new Uint8Array(1_000_000);
    let sent = 0;
    try {
      for (; sent < 500; sent++) await push.send(body);
    } catch (error) {
      assertEquals((error as { code?: string }).code, "EAGAIN");
    }
    assert(sent < 500, "it never had to wait");
    for (let i = 0; i < sent; i++) assertEquals((await pull.receive())[0].length, body.length);
  });

  const refused: Readonly<Record<string, [TestIdentity, object, string]>> = {
    "has another name": [NAMED, {}, "wssHostname"],
    "nobody vouches for": [STRANGER, {}, "wssTrustPem"],
    "is out of date": [EXPIRED, {}, "out of date"],
    "the system does not know": [SERVER, { wssTrustPem: null }, "wssTrustPem"],
  };
  for (const [what, [identity, options, says]] of Object.entries(refused)) {
    it(`tells of a server that ${what}, and tries again`, async () => {
      const pull = open(Pull, serverOf(identity));
      await pull.bind(ANY);
      const push = open(Push, { ...TRUSTS, ...options, sendTimeout: 0 });
      const log = new EventLog(push);
      push.connect(pull.lastEndpoint!);
      const { error } = await log.next("handshake:error:other", MUST_MS);
      assertEquals(error.code, "ERR_TLS_CERTIFICATE", error.message);
      assert(error.message.includes(says), error.message);
      await log.nth("handshake:error:other", 2, MUST_MS);
      assertEquals(log.of("handshake"), []);
    });
  }

  it("connects when the server has a better certificate", async () => {
    const bad = open(Pull, serverOf(EXPIRED));
    await bad.bind(ANY);
    const endpoint = bad.lastEndpoint!;
    const push = open(Push, TRUSTS);
    const log = new EventLog(push);
    push.connect(endpoint);
    await log.next("handshake:error:other", MUST_MS);
    await bad.close();
    const pull = open(Pull, SERVES);
    await pull.bind(endpoint);
    await push.send("at last");
    assertFrames(await pull.receive(), ["at last"]);
  });

  it("tells of peers without TLS, and serves the others", async () => {
    const pull = open(Pull, SERVES);
    const log = new EventLog(pull);
    await pull.bind(ANY);
    const port = portOf(pull.lastEndpoint);
    const plain = open(Push, { linger: 0, reconnectInterval: -1 });
    plain.connect(`ws://127.0.0.1:${port}`);
    const first = await log.next("handshake:error:other", MUST_MS);
    assertEquals(first.error.code, "ERR_TLS_HANDSHAKE", first.error.message);
    const zmtp = open(Push, { linger: 0, reconnectInterval: -1 });
    zmtp.connect(`tcp://127.0.0.1:${port}`);
    const second = await log.next("handshake:error:other", MUST_MS);
    assertEquals(second.error.code, "ERR_TLS_HANDSHAKE", second.error.message);
    await isServed(pull);
  });

  it("is not spoken to a server without TLS", async () => {
    const pull = open(Pull, { linger: 0 });
    await pull.bind("ws://127.0.0.1:*");
    const push = open(Push, TRUSTS);
    const log = new EventLog(push);
    push.connect(pull.lastEndpoint!.replace("ws:", "wss:"));
    const { error } = await log.next("handshake:error:other", MUST_MS);
    assertEquals(error.code, "ERR_TLS_HANDSHAKE", error.message);
  });

  it("gives those who say nothing no more than their share and their time", async () => {
    const pull = open(Pull, { ...SERVES, maxPendingHandshakes: 5, handshakeInterval: 1_000 });
    const log = new EventLog(pull);
    await pull.bind(ANY);
    const mute: RawConnection[] = [];
    for (let i = 0; i < 8; i++) {
      mute.push(cleanup.add(await dial(pull.lastEndpoint!.replace("wss:", "tcp:"))));
    }
    await log.nth("handshake:error:other", 3, MUST_MS);
    await isServed(pull);
    await Promise.all(mute.map(({ closed }) => closed));
  });

  it("may end at a balancer before a server without TLS (ZWS2-SEC-01)", async () => {
    const reply = open(Reply, {});
    await reply.bind("ws://127.0.0.1:*");
    const balancer = cleanup.add(await TlsBalancer.listen(portOf(reply.lastEndpoint)));
    const request = open(Request, TRUSTS);
    request.connect(`wss://127.0.0.1:${balancer.port}`);
    const body = new Uint8Array(300_000).fill(5);
    await request.send(["large", body]);
    await reply.send(await reply.receive());
    assertFrames(await request.receive(), ["large", body]);
  });

  it("goes through a proxy, which cannot read it", async () => {
    const pull = open(Pull, SERVES);
    await pull.bind(ANY);
    const proxy = cleanup.add(await SocksServer.listen());
    const push = open(Push, { ...TRUSTS, socksProxy: proxy.address });
    push.connect(pull.lastEndpoint!);
    await push.send("through");
    assertFrames(await pull.receive(), ["through"]);
    const wrong = open(Dealer, { ...TRUSTS, wssTrustPem: null, socksProxy: proxy.address });
    const log = new EventLog(wrong);
    wrong.connect(pull.lastEndpoint!);
    const { error } = await log.next("handshake:error:other", MUST_MS);
    assertEquals(error.code, "ERR_TLS_CERTIFICATE");
  });
});
