import { assertEquals, assertLess, assertRejects } from "@std/assert";
import { after, afterEach, before, describe, it } from "@std/testing/bdd";
import { Dealer, Request, Router, ZmqError } from "../../mod.ts";
import { assertFrames, textOf, toHex, utf8 } from "../_util/bytes.ts";
import { eventually } from "../_util/deadline.ts";
import { SENDS_AND_RECEIVES } from "../_util/pairing.ts";
import { type Peer, type PeerSocket, startPeer } from "../_util/peer.ts";
import { Opened } from "../_util/traffic.ts";

const ANY_PORT = "tcp://127.0.0.1:*";

describe("ROUTER with libzmq peers", () => {
  const opened = new Opened();
  let peer: Peer;
  let theirs: PeerSocket[] = [];
  const openTheirs = async (...args: Parameters<Peer["open"]>): Promise<PeerSocket> => {
    const socket = await peer.open(...args);
    theirs.push(socket);
    return socket;
  };
  const boundRouter = async (options: object = {}): Promise<Router> => {
    const router = opened.add(new Router({ ...SENDS_AND_RECEIVES, ...options }));
    await router.bind(ANY_PORT);
    return router;
  };
  before(() => {
    peer = startPeer();
  });
  after(() => peer.stop());
  afterEach(async () => {
    await opened.close();
    await Promise.all(theirs.map((socket) => socket.close()));
    theirs = [];
  });

  for (
    const [kind, id] of [
      ["text", utf8("worker-1")],
      ["binary", Uint8Array.of(1, 0, 255, 128)],
      ["one octet", Uint8Array.of(7)],
      ["255 octets", Uint8Array.from({ length: 255 }, (_, i) => 255 - i)],
    ] as const
  ) {
    it(`knows a DEALER by its own routing id: ${kind}`, async () => {
      const router = await boundRouter();
      const dealer = await openTheirs("Dealer", {}, id);
      await dealer.connect(router.lastEndpoint!);
      await dealer.send("hello");
      assertFrames(await router.receive(), [id, "hello"]);
      await router.send([id, "you are", "known"]);
      assertFrames(await dealer.receive(), ["you are", "known"]);
    });

    it(`tells a libzmq ROUTER its routing id: ${kind}`, async () => {
      const router = await openTheirs("Router");
      const endpoint = await router.bind();
      const dealer = opened.add(new Dealer({ ...SENDS_AND_RECEIVES, routingId: id }));
      dealer.connect(endpoint);
      await dealer.send("hello");
      assertFrames(await router.receive(), [id, "hello"]);
      await router.send(id, "you are known");
      assertFrames(await dealer.receive(), ["you are known"]);
    });
  }

  it("names peers without a routing id itself, each its own", async () => {
    const router = await boundRouter();
    const dealers = await Promise.all([0, 1, 2, 3, 4].map(() => openTheirs("Dealer")));
    for (const [i, dealer] of dealers.entries()) {
      await dealer.connect(router.lastEndpoint!);
      await dealer.send(`from ${i}`);
    }
    const ids = new Map<string, Uint8Array>();
    for (let i = 0; i < dealers.length; i++) {
      const [id, body] = await router.receive();
      assertEquals([id.length, id[0]], [5, 0]);
      ids.set(textOf(body), id);
    }
    assertEquals(new Set([...ids.values()].map(toHex)).size, dealers.length);
    for (const [body, id] of ids) await router.send([id, `echo ${body}`]);
    for (const [i, dealer] of dealers.entries()) {
      assertFrames(await dealer.receive(), [`echo from ${i}`]);
    }
  });

  it("drops a message to an unknown peer, and refuses it with mandatory", async () => {
    const router = await boundRouter();
    await router.send(["nobody", "x"]);
    router.mandatory = true;
    const error = await assertRejects(() => router.send(["nobody", "x"]), ZmqError);
    assertEquals(error.code, "EHOSTUNREACH");
    const dealer = await peer.open("Dealer", { routingId: "somebody" });
    await dealer.connect(router.lastEndpoint!);
    await dealer.send("here");
    await router.receive();
    await router.send(["somebody", "hello"]);
    assertFrames(await dealer.receive(), ["hello"]);
    await dealer.close();
    await eventually(async () => await sendCode(router, ["somebody", "x"]) === "EHOSTUNREACH");
  });

  it("with mandatory says EAGAIN when the peer does not read", async () => {
    const router = await boundRouter({ mandatory: true, sendTimeout: 0, sendHighWaterMark: 10 });
    const dealer = await openTheirs("Dealer", { routingId: "slow", receiveHighWaterMark: 1 });
    await dealer.connect(router.lastEndpoint!);
    await dealer.send("here");
    await router.receive();
    const body = new Uint8Array(100_000);
    let accepted = 0;
    await eventually(async () => {
      const code = await sendCode(router, ["slow", body]);
      if (code === "") accepted++;
      assertLess(accepted, 1_000);
      return code === "EAGAIN";
    }, 20_000);
    // What was accepted arrives, and then there is room again.
    for (let i = 0; i < accepted; i++) {
      assertEquals((await dealer.receive())[0].length, body.length);
    }
    await eventually(async () => await sendCode(router, ["slow", "room again"]) === "");
    while ((await dealer.receive())[0].length !== "room again".length);
  });

  it("without handover keeps the first peer of a routing id", async () => {
    const router = await boundRouter({ mandatory: true });
    const first = await openTheirs("Dealer", { routingId: "same" });
    await first.connect(router.lastEndpoint!);
    await first.send("first");
    assertFrames(await router.receive(), ["same", "first"]);
    const second = await openTheirs("Dealer", { routingId: "same" });
    await second.connect(router.lastEndpoint!);
    await second.send("second");
    await first.send("still first");
    assertFrames(await router.receive(), ["same", "still first"]);
    await router.send(["same", "for the first"]);
    assertFrames(await first.receive(), ["for the first"]);
  });

  it("with handover gives a routing id to the newcomer", async () => {
    const router = await boundRouter({ mandatory: true, handover: true });
    const first = await openTheirs("Dealer", { routingId: "same", reconnectInterval: -1 });
    await first.connect(router.lastEndpoint!);
    await first.send("first");
    assertFrames(await router.receive(), ["same", "first"]);
    const second = await openTheirs("Dealer", { routingId: "same" });
    await second.connect(router.lastEndpoint!);
    await second.send("second");
    assertFrames(await router.receive(), ["same", "second"]);
    await router.send(["same", "for the second"]);
    assertFrames(await second.receive(), ["for the second"]);
  });

  it("takes over a routing id at a libzmq ROUTER with handover", async () => {
    const router = await openTheirs("Router", { handover: true });
    const endpoint = await router.bind();
    const options = { ...SENDS_AND_RECEIVES, routingId: "same" };
    const first = opened.add(new Dealer({ ...options, reconnectInterval: -1 }));
    first.connect(endpoint);
    await first.send("first");
    assertFrames(await router.receive(), ["same", "first"]);
    const second = opened.add(new Dealer(options));
    second.connect(endpoint);
    await second.send("second");
    assertFrames(await router.receive(), ["same", "second"]);
    await router.send("same", "for the second");
    assertFrames(await second.receive(), ["for the second"]);
  });

  it("is probed by libzmq peers with probeRouter", async () => {
    const router = await boundRouter();
    for (const type of ["Dealer", "Request", "Router"] as const) {
      const prober = await openTheirs(type, { routingId: `probing ${type}`, probeRouter: true });
      await prober.connect(router.lastEndpoint!);
      assertFrames(await router.receive(), [`probing ${type}`, ""]);
    }
  });

  it("probes a libzmq ROUTER with probeRouter", async () => {
    const router = await openTheirs("Router");
    const endpoint = await router.bind();
    for (const [name, Type] of Object.entries({ Dealer, Request, Router })) {
      const options = { ...SENDS_AND_RECEIVES, routingId: `probing ${name}`, probeRouter: true };
      const prober = opened.add(new Type(options));
      prober.connect(endpoint);
      assertFrames(await router.receive(), [`probing ${name}`, ""]);
    }
  });

  it("names a peer when it connects", async () => {
    const theirRouter = await openTheirs("Router", { routingId: "their own name" });
    const endpoint = await theirRouter.bind();
    const router = opened.add(
      new Router({ ...SENDS_AND_RECEIVES, routingId: "us", mandatory: true }),
    );
    router.connect(endpoint, { routingId: "our name for it" });
    await router.send(["our name for it", "hello"]); // before the handshake: it waits
    assertFrames(await theirRouter.receive(), ["us", "hello"]);
    await theirRouter.send("us", "welcome");
    assertFrames(await router.receive(), ["our name for it", "welcome"]);
  });

  it("is named by a libzmq ROUTER when that connects", async () => {
    const router = await boundRouter({ routingId: "our own name" });
    const theirRouter = await openTheirs("Router", { routingId: "them", mandatory: true });
    await theirRouter.connect(router.lastEndpoint!, "their name for us");
    await theirRouter.send("their name for us", "hello");
    assertFrames(await router.receive(), ["them", "hello"]);
    await router.send(["them", "welcome"]);
    assertFrames(await theirRouter.receive(), ["their name for us", "welcome"]);
  });

  it("drops a message that is a routing id only", async () => {
    const router = await boundRouter();
    const dealer = await openTheirs("Dealer", { routingId: "d" });
    await dealer.connect(router.lastEndpoint!);
    await dealer.send("here");
    await router.receive();
    await router.send(["d"]);
    await router.send(["d", "", "empty first"]);
    assertFrames(await dealer.receive(), ["", "empty first"]);
  });
});

async function sendCode(router: Router, message: (string | Uint8Array)[]): Promise<string> {
  try {
    await router.send(message);
    return "";
  } catch (error) {
    if (error instanceof ZmqError) return error.code;
    throw error;
  }
}
