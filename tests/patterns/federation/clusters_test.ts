// Several clusters: who gives work to whom.

import { assert, assertEquals, assertGreater, assertLess } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { eventually, pause, within } from "../../_util/deadline.ts";
import { failure } from "../../_util/rejection.ts";
import { clusterOf, dealerAt, FakeCluster, Held, sees, Stage, WAIT_MS } from "./stage.ts";

const stage = new Stage();
afterEach(() => stage.close());

describe("A federation", () => {
  it("gives work to another cluster only when no worker is free here", async () => {
    const [a, b] = [await stage.broker("a"), await stage.broker("b")];
    a.addPeer(clusterOf(b));
    const [here, there] = [new Held(), new Held()];
    await stage.worker(a, here.handler, { concurrency: 2 });
    await stage.worker(b, there.handler, { concurrency: 2 });
    await sees(a, "b", 2);
    const client = stage.client(a);
    const asked = ["1", "2", "3"].map((text) => client.request(text));
    await here.got(2);
    await there.got(1);
    assertEquals([here.texts, there.texts], [["1", "2"], ["3"]]);
    await sees(a, "b", 1);
    // As soon as one is free here, here it is done.
    here.answer("one");
    await asked[0];
    const fourth = client.request("4");
    await here.got(3);
    assertEquals([here.texts, there.texts], [["1", "2", "4"], ["3"]]);
    there.answer("three");
    here.answer("two");
    here.answer("four");
    const replies = await Promise.all([...asked, fourth]);
    assertEquals(replies.map(String), ["one", "two", "three", "four"]);
    const { local, cloudOut, peers } = a.stats();
    assertEquals([local, cloudOut, b.stats().cloudIn, b.stats().local], [3, 1, 1, 0]);
    assertEquals([peers.b.sent, peers.b.answered, peers.b.outstanding], [1, 1, 0]);
  });

  it("does not pass work on to a third cluster", async () => {
    const [a, b] = [await stage.broker("a"), await stage.broker("b")];
    const held = new Held();
    await stage.worker(a, held.handler);
    await stage.worker(b, () => "done by b", { concurrency: 5 });
    a.addPeer(clusterOf(b));
    await sees(a, "b", 5);
    const other = stage.add(dealerAt(a.endpoints.cloud!, "other"));
    await other.send(["1", "", "x"]);
    await held.got(1);
    await other.send(["2", "", "x"]);
    await eventually(() => a.stats().waiting === 1, WAIT_MS);
    // A client's own request does go there, past the one that waits.
    assertEquals(String(await stage.client(a).request("y")), "done by b");
    assertEquals(a.stats().cloudOut, 1);
    held.answer("one");
    assertEquals((await within(other.receive(), WAIT_MS, "a reply")).map(String), ["1", "", "one"]);
    await held.got(2);
    held.answer("two");
    assertEquals((await within(other.receive(), WAIT_MS, "a reply")).map(String), ["2", "", "two"]);
  });

  it("serves its own clients and other clusters in the order in which they came", async () => {
    const a = await stage.broker("a");
    const held = new Held();
    await stage.worker(a, held.handler);
    const client = stage.client(a);
    const other = stage.add(dealerAt(a.endpoints.cloud!, "other"));
    const waits = (count: number) => eventually(() => a.stats().waiting === count, WAIT_MS);
    const asked = [client.request("own 1")];
    await held.got(1);
    await other.send(["1", "", "guest 2"]);
    await waits(1);
    asked.push(client.request("own 3"));
    await waits(2);
    await other.send(["2", "", "guest 4"]);
    await waits(3);
    for (let i = 1; i <= 4; i++) {
      await held.got(i);
      held.answer("done");
    }
    await Promise.all(asked);
    assertEquals(held.texts, ["own 1", "guest 2", "own 3", "guest 4"]);
  });

  it("declines what it cannot do, and the first broker gives it to another cluster", async () => {
    // Declined is not tried.
    const a = await stage.broker("a", { maxTries: 1 });
    const [b, c] = [stage.add(new FakeCluster("b")), stage.add(new FakeCluster("c"))];
    await b.join(a);
    await c.join(a);
    await b.tell(a, 5);
    const client = stage.client(a);
    const reply = client.request("x");
    const [id, token] = await within(b.cloud.receive(), WAIT_MS, "the request");
    assertEquals(String(id), "a");
    await b.cloud.send([id, token]);
    // Nothing more for who declines, until it says that it has free workers.
    await eventually(() => a.stats().waiting === 1, WAIT_MS);
    assertEquals(a.stats().peers.b.free, 0);
    await c.say(1);
    const [, again, , body] = await within(c.cloud.receive(), WAIT_MS, "the request again");
    assertEquals([[...again], String(body)], [[...token], "x"]);
    await c.cloud.send(["a", again, "", "from c"]);
    assertEquals(String(await reply), "from c");
    assertEquals([a.stats().retried, a.stats().cloudOut], [1, 2]);
  });

  it("declines when it has no workers, or enough guests", async () => {
    const a = await stage.broker("a", { maxGuests: 1 });
    const other = stage.add(dealerAt(a.endpoints.cloud!, "other"));
    const next = async () => (await within(other.receive(), WAIT_MS, "a reply")).map(String);
    await other.send(["0", "", "x"]);
    assertEquals(await next(), ["0"]);
    const held = new Held();
    const worker = await stage.worker(a, held.handler);
    await other.send(["1", "", "x"]);
    await held.got(1);
    await other.send(["2", "", "x"]);
    await other.send(["3", "", "x"]);
    assertEquals(await next(), ["3"]);
    // Its only worker leaves: neither what it had nor what waited can be done.
    await worker.close();
    assertEquals([...await next(), ...await next()].sort(), ["1", "2"]);
    assertEquals([a.stats().declined, a.stats().waiting, a.stats().outstanding], [4, 0, 0]);
  });

  it("takes back what a cluster has that is silent", async () => {
    const a = await stage.broker("a", { heartbeatInterval: 50, heartbeatLiveness: 10 });
    const [b, c] = [stage.add(new FakeCluster("b")), stage.add(new FakeCluster("c"))];
    const lost: [string, number][] = [];
    a.events.on("peerLost", ({ name, requests }) => lost.push([name, requests]));
    await b.join(a);
    await b.tell(a, 1);
    await c.join(a);
    const reply = stage.client(a).request("x");
    const [, token] = await within(b.cloud.receive(), WAIT_MS, "the request");
    await eventually(() => lost.length > 0, WAIT_MS);
    assertEquals(lost, [["b", 1]]);
    assertEquals(a.stats().peers.b.alive, false);
    await c.say(3);
    await within(c.cloud.receive(), WAIT_MS, "the request again");
    // The silent one has done it after all: who answers first is heard, on the new connection too.
    await eventually(async () => {
      await b.cloud.send(["a", token, "", "late but first"]);
      await pause(10);
      return a.stats().answered === 1;
    }, WAIT_MS);
    assertEquals(String(await reply), "late but first");
    await c.cloud.send(["a", token, "", "second"]);
    await eventually(() => a.stats().stale > 0, WAIT_MS);
    assertEquals(a.stats().answered, 1);
    await b.tell(a, 2);
    assertEquals(a.stats().peers.b.alive, true);
  });

  it("spreads by how many workers are free elsewhere", async () => {
    const a = await stage.broker("a");
    const [b, c] = [stage.add(new FakeCluster("b")), stage.add(new FakeCluster("c"))];
    await b.join(a);
    await c.join(a);
    await b.tell(a, 900);
    await c.tell(a, 100);
    const client = stage.client(a);
    for (let i = 0; i < 500; i++) client.request("x").catch(() => {});
    await eventually(() => a.stats().cloudOut === 500, WAIT_MS);
    const { peers } = a.stats();
    assertEquals(peers.b.sent + peers.c.sent, 500);
    assertGreater(peers.c.sent, 10);
    assertLess(peers.c.sent, 101);
    assertEquals(peers.b.free, 900 - peers.b.sent);
  });

  it("grows and shrinks while it runs", async () => {
    const [a, b, c] = await Promise.all(["a", "b", "c"].map((name) => stage.broker(name)));
    const held = new Held();
    await stage.worker(b, held.handler);
    await stage.worker(c, () => "c");
    const client = stage.client(a);
    const reply = client.request("x");
    await eventually(() => a.stats().waiting === 1, WAIT_MS);
    a.addPeer(clusterOf(b));
    await held.got(1);
    failure(() => a.addPeer(clusterOf(b)), "EINVAL");
    failure(() => a.addPeer(clusterOf(a)), "EINVAL");
    failure(() => a.addPeer({ ...clusterOf(c), state: "nowhere" }), "EINVAL");
    assertEquals(Object.keys(a.stats().peers), ["b"]);
    a.addPeer(clusterOf(c));
    await sees(a, "c", 1);
    // What b has goes to c; when b answers all the same, nobody is told twice.
    assertEquals([a.removePeer("b"), a.removePeer("b")], [true, false]);
    assertEquals(String(await within(reply, WAIT_MS, "the reply")), "c");
    held.answer("b");
    assertEquals(String(await client.request("y")), "c");
    assertEquals([a.stats().answered, Object.keys(a.stats().peers)], [2, ["c"]]);
  });

  it("goes on when other clusters talk nonsense", async () => {
    const a = await stage.broker("a");
    const from: string[] = [];
    a.events.on("malformed", (event) => from.push(event.from));
    const b = stage.add(new FakeCluster("b"));
    await b.join(a);
    await b.tell(a, 1);
    await b.state.send(["b", "many"]);
    await b.state.send(["b"]);
    await b.state.send(["b", "1", "2"]);
    await b.state.send(["unknown", "1"]);
    await eventually(() => from.length === 3, WAIT_MS);
    const reply = stage.client(a).request("x");
    const [id, token] = await within(b.cloud.receive(), WAIT_MS, "the request");
    await b.cloud.send([id, ""]);
    await b.cloud.send([id, token, ""]);
    await b.cloud.send([id, token, "x", "y"]);
    await eventually(() => from.length === 6, WAIT_MS);
    await b.cloud.send([id, token, "", "well"]);
    assertEquals(String(await reply), "well");
    const stranger = stage.add(dealerAt(a.endpoints.cloud!));
    await stranger.send("x");
    await stranger.send(["", "no address"]);
    await eventually(() => from.length === 8, WAIT_MS);
    assertEquals(
      from,
      [..."123"].map(() => "state").concat([..."123"].map(() => "peer"), [
        "cloud",
        "cloud",
      ]),
    );
    assertEquals(a.stats().malformed, 8);
    assert(a.removePeer("b"));
    await eventually(() => b.state.topicsCount === 0, WAIT_MS, "its state is heard no more");
  });
});
