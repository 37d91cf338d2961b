// What XPUB tells of its subscribers, and what it lets its user decide: the same with our publisher
// and libzmq's subscribers, and the other way round.

import { assertEquals } from "@std/assert";
import { after, afterEach, before, describe, it } from "@std/testing/bdd";
import { assertFrames, textsOf } from "../_util/bytes.ts";
import { eventually } from "../_util/deadline.ts";
import { type Octets, requestOf } from "../_util/pubsub_ends.ts";
import { Stand } from "../_util/pubsub_stand.ts";

for (const ours of ["pub", "sub"] as const) {
  const name = ours === "pub" ? "XPUB, with libzmq's subscribers" : "libzmq's XPUB, with ours";
  describe(name, () => {
    const stand = new Stand(ours);
    before(() => stand.start());
    after(() => stand.stop());
    afterEach(() => stand.close());

    for (const type of ["Subscriber", "XSubscriber"] as const) {
      it(`XPUB-03, XPUB-06: shows the requests of ${type} as 01 or 00 and the topic`, async () => {
        const pub = await stand.publish("XPublisher");
        const sub = await stand.join(type);
        for (const topic of ["abc", "", Uint8Array.of(0, 255, 1), "x".repeat(246)]) {
          await sub.subscribe(topic);
          assertFrames(await pub.receive(), [requestOf(1, topic)]);
          await sub.unsubscribe(topic);
          assertFrames(await pub.receive(), [requestOf(0, topic)]);
        }
      });

      it(`XPUB-04: tells only of a topic's first and last ${type}`, async () => {
        await stand.publish("XPublisher");
        const [a, b] = [await stand.join(type), await stand.join(type)];
        await a.subscribe("x");
        assertEquals(await stand.requests(1), ["+x"]);
        await b.subscribe("x", "mark 1");
        assertEquals(await stand.requests(1), ["+mark 1"]);
        await a.unsubscribe("x");
        await a.subscribe("mark 2");
        assertEquals(await stand.requests(1), ["+mark 2"]);
        await b.unsubscribe("x");
        assertEquals(await stand.requests(1), ["-x"]);
      });

      it(`XPUB-08: tells of every ${type} that subscribes, with verbosity "allSubs"`, async () => {
        await stand.publish("XPublisher", { verbosity: "allSubs" });
        const [a, b] = [await stand.join(type), await stand.join(type)];
        await a.subscribe("x");
        assertEquals(await stand.requests(1), ["+x"]);
        await b.subscribe("x");
        assertEquals(await stand.requests(1), ["+x"]);
        await a.unsubscribe("x");
        await a.subscribe("mark");
        assertEquals(await stand.requests(1), ["+mark"]);
        await b.unsubscribe("x");
        assertEquals(await stand.requests(1), ["-x"]);
      });

      it(`XPUB-08: tells of every ${type} that unsubscribes too, with "allSubsUnsubs"`, async () => {
        await stand.publish("XPublisher", { verbosity: "allSubsUnsubs" });
        const [a, b] = [await stand.join(type), await stand.join(type)];
        await a.subscribe("x");
        assertEquals(await stand.requests(1), ["+x"]);
        await b.subscribe("x");
        assertEquals(await stand.requests(1), ["+x"]);
        await a.unsubscribe("x");
        assertEquals(await stand.requests(1), ["-x"]);
        await b.unsubscribe("x");
        assertEquals(await stand.requests(1), ["-x"]);
      });

      it(`XPUB-05: tells of the topics of a ${type} that has left, and only of those`, async () => {
        const pub = await stand.publish("XPublisher");
        const [a, b] = [await stand.join(type), await stand.join(type)];
        await a.subscribe("only a", "both", "");
        await stand.requests(3);
        await b.subscribe("both", "only b");
        assertEquals(await stand.requests(1), ["+only b"]);
        await a.close();
        assertEquals((await stand.requests(2)).toSorted(), ["-", "-only a"]);
        const channel = stand.channel(b);
        await channel.sync();
        const messages = [["only a"], ["only b"], ["both"]];
        assertEquals((await channel.deliver(messages)).flatMap(textsOf), ["only b", "both"]);
        await b.unsubscribe("both");
        await stand.requests(1); // the channel's own
        assertEquals(await stand.requests(1), ["-both"]);
        await pub.close();
      });
    }

    it("XPUB-07: shows other messages as they are", async () => {
      const pub = await stand.publish("XPublisher");
      const sub = await stand.join("XSubscriber");
      await sub.subscribe("x");
      assertEquals(await stand.requests(1), ["+x"]);
      for (
        const message of [
          ["hello"],
          [Uint8Array.of(2, 1)],
          [""],
          ["several", "frames", ""],
          [new Uint8Array(70_000).fill(9), "long"],
        ]
      ) {
        await sub.send(...message);
        assertFrames(await pub.receive(), message);
      }
      await sub.unsubscribe("x");
      assertEquals(await stand.requests(1), ["-x"]);
    });

    it("lets its user subscribe to something else, with manual", async () => {
      const pub = await stand.publish("XPublisher", { manual: true });
      const sub = await stand.join("XSubscriber");
      await sub.subscribe("asked");
      assertEquals(await stand.requests(1), ["+asked"]);
      await pub.subscribe("given", "given too");
      await deliverTo(stand, sub, ["asked", "given", "given too", "x"], ["given", "given too"]);
      await sub.unsubscribe("asked");
      assertEquals(await stand.requests(1), ["-asked"]);
      await pub.unsubscribe("given");
      await pub.unsubscribe("never given");
      await deliverTo(stand, sub, ["asked", "given", "given too"], ["given too"]);
    });

    it("subscribes the one whose request came last, with manual", async () => {
      const pub = await stand.publish("XPublisher", { manual: true });
      const [a, b] = [await stand.join("XSubscriber"), await stand.join("XSubscriber")];
      await a.subscribe("same");
      assertEquals(await stand.requests(1), ["+same"]);
      await pub.subscribe("for a");
      await b.subscribe("same");
      assertEquals(await stand.requests(1), ["+same"], "every request is told of");
      await pub.subscribe("for b");
      await deliverTo(stand, a, ["for b", "for a", "same"], ["for a"]);
      await deliverTo(stand, b, ["for a", "for b 2"], ["for b", "for b 2"]);
      await pub.unsubscribe("for a"); // which the last one, b, does not have
      await deliverTo(stand, a, ["for b", "for a"], ["for a", "for a"]);
    });

    it("gives nobody anything by itself, with manual", async () => {
      const pub = await stand.publish("XPublisher", { manual: true });
      const sub = await stand.join("XSubscriber");
      await sub.subscribe("", "a");
      assertEquals(await stand.requests(2), ["+", "+a"]);
      await pub.send("a");
      await deliverTo(stand, sub, ["", "a"], []);
    });

    it("tells what a subscriber had asked for when that leaves, with manual", async () => {
      const pub = await stand.publish("XPublisher", { manual: true });
      const [a, b] = [await stand.join("XSubscriber"), await stand.join("XSubscriber")];
      await a.subscribe("asked");
      assertEquals(await stand.requests(1), ["+asked"]);
      await pub.subscribe("given");
      await a.close();
      assertEquals(await stand.requests(1), ["-asked"]);
      await b.subscribe("asked");
      assertEquals(await stand.requests(1), ["+asked"]);
      await deliverTo(stand, b, ["given", "asked"], []);
    });

    it("sends what it has to the newcomer alone, with manualLastValue", async () => {
      const pub = await stand.publish("XPublisher", { manualLastValue: true });
      const [a, b] = [await stand.join("XSubscriber"), await stand.join("XSubscriber")];
      await a.subscribe("x");
      assertEquals(await stand.requests(1), ["+x"]);
      await pub.subscribe("x");
      await pub.send("x", "first value");
      assertFrames(await a.receive(), ["x", "first value"]);
      await b.subscribe("x");
      assertEquals(await stand.requests(1), ["+x"]);
      await pub.subscribe("x");
      await pub.send("x", "last value");
      await pub.send("x", "news");
      assertFrames(await b.receive(), ["x", "last value"]);
      assertFrames(await b.receive(), ["x", "news"]);
      assertFrames(await a.receive(), ["x", "news"]);
    });

    it("XPUB-08: welcomes every subscriber, even before it has subscribed", async () => {
      const pub = await stand.publish("XPublisher", { welcomeMessage: "welcome" });
      for (let i = 0; i < 3; i++) {
        const sub = await stand.join("XSubscriber");
        assertFrames(await sub.receive(), ["welcome"]);
        const subscriber = await stand.join("Subscriber", {}, false);
        await subscriber.subscribe("wel", `s${i}`);
        await subscriber.connect(stand.endpoint);
        assertFrames(await subscriber.receive(), ["welcome"]);
        await eventually(async () => await pub.topicsCount() === i + 2);
        await pub.send(`s${i}`);
        assertFrames(await subscriber.receive(), [`s${i}`]);
      }
    });

    for (const onlyFirstSubscribe of [false, true]) {
      const how = onlyFirstSubscribe ? "with onlyFirstSubscribe" : "by default";
      for (
        const [message, expected] of [
          [["+a", "+b"], ["+a", "+b"]],
          [["+a", "-a", "+b"], ["+a", "-a", "+b"]],
          [["+a", "user"], ["+a", '"user"']],
        ]
      ) {
        it(`shows a message of ${message} as ${expected}, ${how}`, async () => {
          await stand.publish("XPublisher", { onlyFirstSubscribe });
          const sub = await stand.join("XSubscriber", { onlyFirstSubscribe });
          await sub.send("ready"); // before it is connected its requests count in the end only
          assertEquals(await stand.requests(1), ['"ready"']);
          await sub.send(...message.map(asFrame));
          await sub.send("over");
          assertEquals(await stand.requests(expected.length + 1), [...expected, '"over"']);
        });
      }
    }

    // Without the option libzmq shows "user" and the request as one message, which is not followed.
    it("takes what follows a user's first frame for no request, with onlyFirstSubscribe", async () => {
      const pub = await stand.publish("XPublisher", { onlyFirstSubscribe: true });
      const sub = await stand.join("XSubscriber", { onlyFirstSubscribe: true });
      await sub.send("user", requestOf(1, "a"), requestOf(0, "a"));
      assertFrames(await pub.receive(), ["user", requestOf(1, "a"), requestOf(0, "a")]);
      const channel = stand.channel(sub);
      await channel.sync();
      assertEquals(await channel.deliver([["a"]]), []);
    });

    it("takes what follows a user's first frame for a request by default", async () => {
      await stand.publish("XPublisher");
      const sub = await stand.join("XSubscriber");
      await sub.send("user", requestOf(1, "a"));
      const channel = stand.channel(sub);
      await channel.sync();
      assertEquals((await channel.deliver([["a"], ["b"]])).flatMap(textsOf), ["a"]);
    });
  });
}

/** Publishes to a subscriber of an XPUB in manual mode, where a channel's own topics are asked for in vain. */
async function deliverTo(
  stand: Stand,
  sub: Awaited<ReturnType<Stand["join"]>>,
  topics: readonly string[],
  expected: readonly string[],
): Promise<void> {
  const end = `end of ${topics}`;
  await sub.subscribe(end);
  assertEquals(await stand.requests(1), [`+${end}`]);
  const { pub } = stand.channel(sub);
  await pub.subscribe(end);
  await pub.sendEach([...topics, end].map((topic) => [topic]));
  const received = await sub.receiveUntil(end);
  assertEquals(received.flatMap(textsOf), [...expected]);
}

function asFrame(text: string): Octets {
  if (text[0] === "+") return requestOf(1, text.slice(1));
  return text[0] === "-" ? requestOf(0, text.slice(1)) : text;
}
