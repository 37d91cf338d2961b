// RFC 28 with sockets as users have them and the test as their peers: what peers say that no REQ, REP, DEALER or ROUTER
// would, who is heard all the same, and the golden vectors.

import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Dealer, Reply, Request, Router } from "../../mod.ts";
import { fromHex, toHex, utf8 } from "../_util/bytes.ts";
import {
  type AnySocket,
  type OctetPeer,
  PatternStage,
  receiveAll,
  turn,
} from "../_util/pattern_stage.ts";
import { PATTERNS, readEveryWay } from "../_util/pattern_vectors.ts";
import { message } from "../_util/raw_zmtp.ts";
import { failure } from "../_util/rejection.ts";

const stage = new PatternStage();

/** The next message as text; undefined when there is none. */
function take(socket: AnySocket): string | undefined {
  return socket.tryReceive()?.map(String).join("|");
}

/** Octets that are no reply to a request without a number: no delimiter, or nothing behind it. */
const NO_REPLIES: readonly Uint8Array[] = [
  message("no delimiter"),
  message("no", "delimiter"),
  message("id", "", "a delimiter too late"),
  message(""),
];

describe("a REQ among its peers", () => {
  afterEach(() => stage.close());

  it("REQ-01, REQ-04: asks any number of REPs and ROUTERs in turn", async () => {
    const req = await stage.bound(Request);
    const types = ["REP", "ROUTER", "REP", "ROUTER", "REP"];
    const peers = types.map((type) => stage.join(req, type));
    for (const round of ["one", "two"]) {
      for (const peer of peers) {
        assert(req.trySend(round));
        await turn();
        assertEquals(
          peers.map((each) => each.heard()),
          peers.map((each) => each === peer ? [["", round]] : []),
        );
        peer.say("", `to ${round}`);
        assertEquals(take(req), `to ${round}`);
      }
    }
  });

  it("REQ-06: drops what strangers reply, however much that is, and asks them in their turn", async () => {
    const req = await stage.bound(Request);
    const [asked, stranger] = [stage.join(req, "REP"), stage.join(req, "ROUTER")];
    req.trySend("to the first");
    for (let i = 0; i < 50; i++) stranger.say("", "not asked").send(...NO_REPLIES);
    assertEquals(take(req), undefined);
    asked.say("", "asked");
    assertEquals(take(req), "asked");
    req.trySend("to the second");
    asked.say("", "not asked this time");
    assertEquals(take(req), undefined);
    stranger.say("", "asked now");
    assertEquals([take(req), asked.refused, stranger.refused], ["asked now", false, false]);
  });

  it("REQ-11: never delivers a reply without the delimiter, and takes the right one behind it", async () => {
    for (const octets of NO_REPLIES) {
      const req = await stage.bound(Request);
      const [wrong, healthy] = [stage.join(req, "REP"), stage.join(req, "REP")];
      req.trySend("q");
      wrong.send(octets);
      assertEquals(take(req), undefined);
      wrong.send(octets, message("", "right"));
      assertEquals(take(req), "right");
      req.trySend("next");
      wrong.send(octets);
      healthy.say("", "served");
      assertEquals(take(req), "served");
    }
  });

  it("REQ-08: with correlate takes the reply with its own number, and no other", async () => {
    const req = await stage.bound(Request, { correlate: true });
    const [peer, healthy] = [stage.join(req, "REP"), stage.join(req, "REP")];
    req.trySend("q");
    assertEquals(toHex(peer.octets), `0104${toHex(peer.octets.subarray(2, 6))}0100000171`);
    const number = peer.octets.slice(2, 6);
    const wrong = number.map((octet, i) => i === 3 ? octet ^ 1 : octet);
    peer.say(wrong, "", "x").say("", "x").say(number, "x").say(number.subarray(1), "", "x");
    peer.say(Uint8Array.of(...number, 0), "", "x").say(number).say(number, "");
    assertEquals(take(req), undefined);
    peer.say(number, "", "right").say(number, "", "again");
    assertEquals(take(req), "right");
    req.trySend("r");
    await turn();
    const next = healthy.octets.slice(2, 6);
    assertNotEquals(toHex(next), toHex(number));
    healthy.say(number, "", "of the last").say(next, "", "served");
    assertEquals(take(req), "served");
  });

  it("REQ-10: drops a reply that comes twice, before and after the next request", async () => {
    const req = await stage.bound(Request);
    const peer = stage.join(req, "REP");
    req.trySend("one");
    peer.say("", "to one").say("", "to one").say("", "to one");
    assertEquals(take(req), "to one");
    peer.say("", "to one");
    req.trySend("two");
    assertEquals(take(req), undefined);
    peer.say("", "to two");
    assertEquals(take(req), "to two");
  });

  it("REQ-09: with relaxed gives the last request up, whose late reply never passes for the next one's", async () => {
    const req = await stage.bound(Request, { relaxed: true });
    const [late, healthy] = [stage.join(req, "REP"), stage.join(req, "REP")];
    req.trySend("one");
    assert(req.trySend("two"));
    assertEquals([late.refused, healthy.refused], [true, false]);
    healthy.say("", "to two");
    assertEquals(take(req), "to two");
  });

  it("REQ-02, REQ-07: is not out of turn because a peer speaks unasked", async () => {
    const req = await stage.bound(Request);
    const peer = stage.join(req, "ROUTER");
    peer.say("", "unasked");
    failure(() => req.tryReceive(), "EFSM");
    req.trySend("q");
    failure(() => req.trySend("another"), "EFSM");
    assertEquals(take(req), undefined);
  });
});

describe("a REP among its peers", () => {
  afterEach(() => stage.close());

  it("REP-01, REP-05, REP-06: answers any number of REQs and DEALERs, each its own", async () => {
    const rep = await stage.bound(Reply);
    const peers = ["REQ", "DEALER", "REQ", "DEALER"].map((type) => stage.join(rep, type));
    for (const [i, peer] of peers.entries()) peer.say("", `${i}`).say(`hop ${i}`, "", `${i}`);
    const order = peers.concat(peers).map(() => {
      const question = take(rep)!;
      assert(rep.trySend(`to ${question}`));
      return question;
    });
    assertEquals(order, ["0", "1", "2", "3", "0", "1", "2", "3"], "in turn");
    await turn();
    for (const [i, peer] of peers.entries()) {
      assertEquals(peer.heard(), [["", `to ${i}`], [`hop ${i}`, "", `to ${i}`]]);
    }
  });

  it("REP-08: drops what has no delimiter, also between a request and its reply, and serves the others", async () => {
    const rep = await stage.bound(Reply);
    const [wrong, healthy] = [stage.join(rep, "DEALER"), stage.join(rep, "REQ")];
    for (let i = 0; i < 50; i++) wrong.say("x").say("no", "delimiter").say("").say("id", "");
    healthy.say("", "one");
    assertEquals(take(rep), "one");
    wrong.say("x");
    assert(rep.trySend("to one"));
    wrong.say("x").say("", "at last");
    assertEquals([take(rep), rep.trySend("to you too"), take(rep)], ["at last", true, undefined]);
    await turn();
    assertEquals([healthy.heard(), wrong.heard()], [[["", "to one"]], [["", "to you too"]]]);
  });

  it("REP-02: answers requests that come at once one by one, each once", async () => {
    const rep = await stage.bound(Reply);
    const [eager, healthy] = [stage.join(rep, "DEALER"), stage.join(rep, "REQ")];
    eager.send(...["a", "b", "c"].map((text) => message("", text)));
    healthy.say("", "mine");
    for (let i = 0; i < 4; i++) {
      failure(() => rep.trySend("out of turn"), "EFSM");
      const question = take(rep);
      failure(() => rep.tryReceive(), "EFSM");
      rep.trySend(`to ${question}`);
    }
    await turn();
    assertEquals([eager.texts(), healthy.texts()], [["|to a", "|to b", "|to c"], ["|to mine"]]);
  });

  it("REP-07: drops the reply to one who left, or who does not read, without waiting", async () => {
    const rep = await stage.bound(Reply, { sendHighWaterMark: 1 });
    const [gone, healthy] = [stage.join(rep, "REQ"), stage.join(rep, "REQ")];
    const deaf = stage.join(rep, "DEALER", { deaf: true });
    gone.say("", "q");
    assertEquals(take(rep), "q");
    gone.leave();
    assert(rep.trySend("to nobody"));
    const long = "x".repeat(1_000);
    for (let i = 0; i < 10; i++) {
      deaf.say("", "q");
      healthy.say("", "q");
      for (let j = 0; j < 2; j++) assert(take(rep) === "q" && rep.trySend(long));
      await turn();
      assertEquals(healthy.texts(), [`|${long}`]);
    }
    assertEquals(deaf.listen().texts(), [`|${long}`, `|${long}`], "what one queue holds");
  });

  it("REP-03, REP-04, REP-09: keeps envelopes as they are, of any hops, around an empty body too", async () => {
    const rep = await stage.bound(Reply);
    const peer = stage.join(rep, "DEALER");
    const hops = Array.from({ length: 300 }, (_, i) => Uint8Array.of(i >> 8, i & 255, 0));
    for (const envelope of [[], [utf8("id")], hops]) {
      for (const body of [["q"], [""], ["", "q", ""]]) {
        peer.say(...envelope, "", ...body);
        assertEquals(take(rep), body.join("|"));
        const before = peer.octets.length;
        rep.trySend(body);
        await turn();
        assertEquals(toHex(peer.octets.subarray(before)), toHex(message(...envelope, "", ...body)));
      }
    }
  });
});

describe("a DEALER", () => {
  afterEach(() => stage.close());

  it("DEALER-05: adds no delimiter of its own: who wants an answer of a REP sends it", async () => {
    const dealer = await stage.bound(Dealer);
    const peer = stage.join(dealer, "REP");
    dealer.trySend("q");
    assertEquals(toHex(peer.octets), "000171");
    const rep = await stage.bound(Reply);
    const other = stage.join(rep, "DEALER");
    other.send(peer.octets);
    assertEquals(take(rep), undefined);
    await turn();
    dealer.trySend(["", "q"]);
    assertEquals(toHex(peer.octets.subarray(3)), "0100000171");
    other.send(peer.octets.subarray(3));
    assertEquals(take(rep), "q");
  });

  it("DEALER-01, DEALER-02: takes anything of REPs, DEALERs and ROUTERs, as it is", async () => {
    const dealer = await stage.bound(Dealer);
    for (const type of ["REP", "DEALER", "ROUTER"]) {
      const peer = stage.join(dealer, type);
      peer.say("").say("", "").say("x", "", "y").say("\x01A");
      assertEquals(receiveAll(dealer), ["", "|", "x||y", "\x01A"]);
      peer.leave();
    }
  });
});

describe("a ROUTER among its peers", () => {
  afterEach(() => stage.close());

  /** Has a peer speak; the id it is known by. */
  function idOf(router: AnySocket, peer: OctetPeer): Uint8Array {
    peer.say("x");
    const [id, body] = router.tryReceive()!;
    assertEquals(String(body), "x");
    return id;
  }

  it("ROUTER-01, ROUTER-04, ROUTER-05: tells REQs, DEALERs and ROUTERs apart by their ids", async () => {
    const router = await stage.bound(Router);
    const peers = ["REQ", "DEALER", "ROUTER"].map((type) => stage.join(router, type, { id: type }));
    peers[0].say("", "q");
    peers[1].say("x", "").say("");
    peers[2].say("y");
    assertEquals(receiveAll(router).sort(), ["DEALER|", "DEALER|x|", "REQ||q", "ROUTER|y"]);
    for (const id of ["ROUTER", "REQ", "DEALER"]) router.trySend([id, "", `to ${id}`]);
    assertEquals(peers.map((peer) => peer.texts()), [["|to REQ"], ["|to DEALER"], ["|to ROUTER"]]);
  });

  it("ROUTER-09: refuses one who takes another's id; nothing it says is heard, and the first is served", async () => {
    const router = await stage.bound(Router);
    const first = stage.join(router, "DEALER", { id: "me" });
    const thief = stage.join(router, "DEALER", { id: "me", says: message("I am me") });
    assertEquals([thief.refused, first.refused], [true, false]);
    assertEquals(take(router), undefined);
    first.say("still here");
    assertEquals(take(router), "me|still here");
    router.trySend(["me", "for you"]);
    assertEquals([first.heard(), thief.heard()], [[["for you"]], []]);
  });

  it("ROUTER-09: with handover gives the id to the newcomer, and ends the connection of the first", async () => {
    const router = await stage.bound(Router, { handover: true });
    const [first, other] = [
      stage.join(router, "REQ", { id: "me" }),
      stage.join(router, "REQ", { id: "other" }),
    ];
    const second = stage.join(router, "DEALER", { id: "me" });
    assertEquals([first.refused, second.refused, other.refused], [true, false, false]);
    router.trySend(["me", "for the new one"]);
    router.trySend(["other", "for you"]);
    assertEquals([first, second, other].map((peer) => peer.texts()), [[], ["for the new one"], [
      "for you",
    ]]);
  });

  it("ROUTER-02, ROUTER-03, ROUTER-07: gives nobody an id that another has, chosen or made up", async () => {
    const router = await stage.bound(Router);
    const made = idOf(router, stage.join(router, "DEALER"));
    assertEquals([made.length, made[0]], [5, 0]);
    for (const old of [false, true]) {
      const thief = stage.join(router, "DEALER", { id: made, old, says: message("I am it") });
      assert(thief.refused, "an id that was made up is as good as one that was chosen");
    }
    assertEquals(take(router), undefined);
    // Somebody guesses the id that is made next.
    const view = new DataView(made.slice().buffer);
    view.setUint32(1, view.getUint32(1) + 1);
    const guesser = stage.join(router, "DEALER", { id: new Uint8Array(view.buffer), old: true });
    const next = idOf(router, stage.join(router, "DEALER"));
    assertEquals(new Set([made, idOf(router, guesser), next].map(toHex)).size, 3);
  });

  it("ROUTER-06, ROUTER-08, ROUTER-10: has no use for a message without a peer or a body", async () => {
    const router = await stage.bound(Router);
    const peer = stage.join(router, "DEALER", { id: "me" });
    assert(router.trySend(["you", "x"]) && router.trySend(["you"]) && router.trySend(["me"]));
    assert(router.trySend(["", "x"]));
    Object.assign(router, { mandatory: true });
    failure(() => router.trySend(["you", "x"]), "EHOSTUNREACH");
    assert(router.trySend(["me", ""]));
    assertEquals(peer.heard(), [[""]]);
    peer.leave();
    failure(() => router.trySend(["me", "x"]), "EHOSTUNREACH");
  });

  it("ROUTER-11: announces itself by one empty message with probeRouter, and takes one as a message", async () => {
    const probing = await stage.bound(Router, { probeRouter: true });
    assertEquals(toHex(stage.join(probing, "ROUTER").octets), "0000");
    const router = await stage.bound(Router);
    stage.join(router, "DEALER", { id: "me", says: fromHex("0000") });
    assertEquals(take(router), "me|");
  });
});

describe("the vectors of request-reply", () => {
  afterEach(() => stage.close());

  for (const vector of PATTERNS.filter(({ to }) => to === "REP" || to === "REQ")) {
    const { id, meaning, octets, messages, from, to } = vector;
    it(`${id} is read whole, cut anywhere, and with a tail: ${meaning}`, async () => {
      await readEveryWay(vector, async () => {
        const socket = await stage.bound(to === "REP" ? Reply : Request);
        const peer = stage.join(socket, from);
        if (to === "REQ") socket.trySend("q");
        return [socket, peer];
      });
    });

    if (from !== "REQ" && from !== "REP") continue;
    it(`${id} is what is sent: ${meaning}`, async () => {
      const socket = await stage.bound(from === "REQ" ? Request : Reply);
      const peer = stage.join(socket, to);
      if (from === "REP") {
        peer.say("", "q");
        assertEquals(take(socket), "q");
      }
      socket.trySend(messages[0]);
      assertEquals(toHex(peer.octets), toHex(octets));
    });
  }

  it("GV-RR-04: the ids that a Router makes up look as libzmq's, and begin elsewhere", async () => {
    const libzmqs = "006b8b4567";
    const router = await stage.bound(Router);
    stage.join(router, "DEALER").say("x");
    const [own] = router.tryReceive()!;
    assertEquals([own.length, own[0]], [libzmqs.length / 2, 0]);
    assertNotEquals(toHex(own), libzmqs);
    stage.join(router, "DEALER", { id: fromHex(libzmqs), old: true }).say("y");
    assertEquals(router.tryReceive()!.map(toHex), [libzmqs, "79"]);
  });
});
