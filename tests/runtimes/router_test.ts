// ROUTER: how it knows its peers.

import { assert, assertEquals, assertInstanceOf, assertNotEquals } from "@std/assert";
import { afterEach, it } from "@std/testing/bdd";
import { Dealer, Request, Router, ZmqError } from "../../mod.ts";
import { SYSTEM_TRANSPORTS, type Transport, TRANSPORTS } from "../_util/anywhere.ts";
import { assertFrames, toHex } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { eventually, within } from "../_util/deadline.ts";
import { dial, RawServer } from "../_util/raw_peer.ts";
import { connectAs, greeting, message, ready, shakeHands, takeMessage } from "../_util/raw_zmtp.ts";
import { assertSays, failure } from "../_util/rejection.ts";
import { join } from "../_util/scripted_peer.ts";
import { describeOver, nowhere, reserve } from "../_util/transports.ts";

const BASE = { receiveTimeout: 5_000, reconnectInterval: 10 } as const;
const cleanup = new Cleanup();

async function openRouter(
  transport: Transport,
  options: ConstructorParameters<typeof Router>[0] = {},
): Promise<Router> {
  const router = cleanup.add(new Router({ ...BASE, ...options }));
  await router.bind(await reserve(transport));
  return router;
}

function openDealer(
  endpoint: string,
  options: ConstructorParameters<typeof Dealer>[0] = {},
): Dealer {
  const dealer = cleanup.add(new Dealer({ ...BASE, ...options }));
  dealer.connect(endpoint);
  return dealer;
}

describeOver(TRANSPORTS, "Router", (transport) => {
  afterEach(() => cleanup.run());

  it("makes ids of five octets, the first 0, for peers without one", async () => {
    const router = await openRouter(transport);
    const ids = new Set<string>();
    for (let i = 0; i < 5; i++) {
      const dealer = openDealer(router.lastEndpoint!);
      for (let round = 0; round < 3; round++) {
        await dealer.send(["a", String(round)]);
        const [id, ...frames] = await router.receive();
        assertEquals([id.length, id[0]], [5, 0]);
        assertFrames(frames, ["a", String(round)]);
        ids.add(toHex(id));
        await router.send([id, "re", String(i)]);
        assertFrames(await dealer.receive(), ["re", String(i)]);
      }
    }
    assertEquals(ids.size, 5);
  });

  const ids: readonly [what: string, id: string | Uint8Array][] = [
    ["a letter", "x"],
    ["text", "client-ünï"],
    ["one octet", Uint8Array.of(255)],
    ["binary octets", Uint8Array.of(1, 0, 255, 128, 10, 13, 0)],
    ["255 octets", Uint8Array.from({ length: 255 }, (_, i) => 255 - i)],
    ["255 characters", "y".repeat(255)],
  ];
  for (const [what, id] of ids) {
    it(`knows a DEALER, a REQ and a ROUTER by an id of their own: ${what}`, async () => {
      const router = await openRouter(transport);
      const endpoint = router.lastEndpoint!;
      const dealer = openDealer(endpoint, { routingId: id });
      await dealer.send("from dealer");
      assertFrames(await router.receive(), [id, "from dealer"]);
      await router.send([id, "to dealer"]);
      assertFrames(await dealer.receive(), ["to dealer"]);
      await dealer.close();

      const other = await openRouter(transport);
      const request = cleanup.add(new Request({ ...BASE, routingId: id }));
      request.connect(other.lastEndpoint!);
      await request.send("from request");
      assertFrames(await other.receive(), [id, "", "from request"]);
      await other.send([id, "", "to request"]);
      assertFrames(await request.receive(), ["to request"]);

      const third = await openRouter(transport, { routingId: "third" });
      const peer = cleanup.add(new Router({ ...BASE, routingId: id, mandatory: true }));
      peer.connect(third.lastEndpoint!);
      await eventually(() => peer.writable);
      await peer.send(["third", "from router"]);
      assertFrames(await third.receive(), [id, "from router"]);
      await third.send([id, "to router"]);
      assertFrames(await peer.receive(), ["third", "to router"]);
    });
  }

  it("knows a peer again that comes back with its id", async () => {
    const router = await openRouter(transport, { mandatory: true });
    for (let i = 0; i < 3; i++) {
      const dealer = openDealer(router.lastEndpoint!, { routingId: "same" });
      await dealer.send(String(i));
      assertFrames(await router.receive(), ["same", String(i)]);
      await router.send(["same", "re"]);
      assertFrames(await dealer.receive(), ["re"]);
      await dealer.close();
      await eventually(() => !router.writable);
    }
  });

  it("takes the id that a peer has at the time it connects", async () => {
    const router = await openRouter(transport);
    const dealer = openDealer(router.lastEndpoint!, { routingId: "first" });
    await dealer.send("1");
    assertFrames(await router.receive(), ["first", "1"]);
    dealer.routingId = "second";
    await dealer.send("2");
    assertFrames(await router.receive(), ["first", "2"]);
    dealer.disconnect(router.lastEndpoint!);
    dealer.connect(router.lastEndpoint!);
    await dealer.send("3");
    assertFrames(await router.receive(), ["second", "3"]);
  });

  it("lets a second peer with the same id in when the first has gone", async () => {
    const router = await openRouter(transport);
    const first = cleanup.add(await join(router.lastEndpoint!, "DEALER", "same"));
    first.say("1");
    assertFrames(await router.receive(), ["same", "1"]);
    await router.send(["same", "to the first"]);
    assertFrames(await first.hear(), ["to the first"]);
    first.say("2");
    assertFrames(await router.receive(), ["same", "2"]);
    const patient = openDealer(router.lastEndpoint!, { routingId: "same" });
    await patient.send("3");
    first.leave();
    assertFrames(await router.receive(), ["same", "3"]);
    await router.send(["same", "welcome"]);
    assertFrames(await patient.receive(), ["welcome"]);
  });

  it("takes messages with any frames after the id, and none when there is only the id", async () => {
    const router = await openRouter(transport);
    const dealer = openDealer(router.lastEndpoint!, { routingId: "d" });
    await dealer.send(["", "", "a", ""]);
    assertFrames(await router.receive(), ["d", "", "", "a", ""]);
    await router.send(["d"]);
    await router.send(["d", "", "", "b"]);
    await router.send(["d", ""]);
    assertFrames(await dealer.receive(), ["", "", "b"]);
    assertFrames(await dealer.receive(), [""]);
  });
});

describeOver(SYSTEM_TRANSPORTS, "the connections of a Router", (transport) => {
  afterEach(() => cleanup.run());

  it("closes a second peer with the same id, and takes nothing from it", async () => {
    const router = await openRouter(transport);
    const first = cleanup.add(await connectAs(router.lastEndpoint!, "DEALER", "same"));
    first.send(message("1"));
    assertFrames(await router.receive(), ["same", "1"]);
    const second = cleanup.add(await dial(router.lastEndpoint!));
    second.send(greeting(), ready("DEALER", "same"), message("not heard"));
    await second.untilClosed();
    first.send(message("2"));
    assertFrames(await router.receive(), ["same", "2"]);
  });

  it("with handover, gives the id to the newer peer and closes the older one", async () => {
    const router = await openRouter(transport, { handover: true });
    const first = cleanup.add(await connectAs(router.lastEndpoint!, "DEALER", "same"));
    first.send(message("1"), message("2"));
    assertFrames(await router.receive(), ["same", "1"]);
    const second = cleanup.add(await connectAs(router.lastEndpoint!, "DEALER", "same"));
    second.send(message("3"));
    await first.untilClosed();
    // What had come from the first is kept.
    const texts = [await router.receive(), await router.receive()].map((frames) => frames[1]);
    assertEquals(texts.map(String).sort(), ["2", "3"]);
    await router.send(["same", "to the second"]);
    assertFrames(await takeMessage(second), ["to the second"]);
  });
});

describeOver(TRANSPORTS, "Router.connect with a routingId", (transport) => {
  afterEach(() => cleanup.run());

  it("names the peer: messages can be sent at once, and come from that name", async () => {
    const server = await openRouter(transport, { routingId: "its own name" });
    const endpoint = server.lastEndpoint!;
    const router = cleanup.add(new Router({ ...BASE, mandatory: true, routingId: "client" }));
    router.connect(endpoint, { routingId: "my name for it" });
    await router.send(["my name for it", "hello"]);
    assertFrames(await server.receive(), ["client", "hello"]);
    await server.send(["client", "welcome"]);
    assertFrames(await router.receive(), ["my name for it", "welcome"]);
  });

  it("keeps messages for a peer that is not there yet", async () => {
    const server = await openRouter(transport);
    const endpoint = server.lastEndpoint!;
    await server.unbind(endpoint);
    const router = cleanup.add(new Router({ ...BASE, mandatory: true }));
    const id = Uint8Array.of(7, 0, 7);
    router.connect(endpoint, { routingId: id });
    for (let i = 0; i < 10; i++) await router.send([id, String(i)]);
    await server.bind(endpoint);
    for (let i = 0; i < 10; i++) {
      assertFrames((await server.receive()).slice(1), [String(i)]);
    }
  });

  it("refuses a name that another peer has, with EADDRINUSE", async () => {
    const router = await openRouter(transport);
    const endpoint = router.lastEndpoint!;
    router.connect(nowhere(transport), { routingId: "taken" });
    const error = failure(
      () => router.connect(nowhere(transport), { routingId: "taken" }),
      "EADDRINUSE",
    );
    assertInstanceOf(error, ZmqError);
    assertSays(error, "taken");
    const dealer = openDealer(endpoint, { routingId: "present" });
    await dealer.send("here");
    await router.receive();
    failure(() => router.connect(nowhere(transport), { routingId: "present" }), "EADDRINUSE");
    await router.send(["present", "still"]);
    assertFrames(await dealer.receive(), ["still"]);
  });

  it("refuses a name that is empty, too long or no name with EINVAL", () => {
    const router = cleanup.add(new Router());
    for (const routingId of ["", new Uint8Array(0), "x".repeat(256), 5]) {
      failure(
        () => router.connect(nowhere(transport), { routingId: routingId as string }),
        "EINVAL",
      );
    }
    assertEquals(router.lastEndpoint, null);
  });

  it("frees the name with disconnect", async () => {
    const router = await openRouter(transport, { mandatory: true });
    const endpoint = router.lastEndpoint!;
    router.connect(nowhere(transport), { routingId: "name" });
    router.disconnect(nowhere(transport));
    const dealer = openDealer(endpoint, { routingId: "name" });
    await dealer.send("here");
    assertFrames(await router.receive(), ["name", "here"]);
  });
});

describeOver(TRANSPORTS, "probeRouter", (transport) => {
  afterEach(() => cleanup.run());

  it("of a DEALER, REQ or ROUTER announces it to a ROUTER by an empty message", async () => {
    const router = await openRouter(transport, { routingId: "server" });
    const options = { ...BASE, probeRouter: true, routingId: "probe" };
    for (const type of [Dealer, Request, Router]) {
      const socket = cleanup.add(new type(options));
      socket.connect(router.lastEndpoint!);
      assertFrames(await router.receive(), ["probe", ""]);
      await socket.close();
    }
  });

  it("goes before what waited for the connection", async () => {
    const endpoint = await reserve(transport);
    const dealer = openDealer(endpoint, { probeRouter: true, routingId: "d" });
    await dealer.send("first");
    const router = cleanup.add(new Router(BASE));
    await router.bind(endpoint);
    assertFrames(await router.receive(), ["d", ""]);
    assertFrames(await router.receive(), ["d", "first"]);
  });

  it("lets two ROUTERs talk to each other", async () => {
    const server = await openRouter(transport, { routingId: "server" });
    const client = cleanup.add(new Router({ ...BASE, routingId: "client", probeRouter: true }));
    client.connect(server.lastEndpoint!);
    const [id, empty] = await within(server.receive(), 5_000, "the probe");
    assertFrames([id, empty], ["client", ""]);
    await server.send([id, "hello"]);
    const [from, body] = await client.receive();
    assertFrames([from, body], ["server", "hello"]);
    assertNotEquals(toHex(id), toHex(from));
    assert(client.writable);
  });
});

describeOver(SYSTEM_TRANSPORTS, "a Dealer with probeRouter", (transport) => {
  afterEach(() => cleanup.run());

  it("sends its probe before messages that wait, on every new connection", async () => {
    const server = cleanup.add(await RawServer.listen(await reserve(transport)));
    const dealer = openDealer(server.endpoint, { probeRouter: true });
    for (const expected of ["first", "second"]) {
      await dealer.send(expected);
      const connection = await server.accept();
      await shakeHands(connection, "ROUTER");
      assertFrames(await takeMessage(connection), [""]);
      assertFrames(await takeMessage(connection), [expected]);
      connection.destroy();
      await eventually(() => server.count > 1);
    }
  });
});
