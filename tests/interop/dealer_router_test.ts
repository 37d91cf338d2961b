import { Dealer, Reply, Router } from "../../mod.ts";
import { eventually } from "../_util/deadline.ts";
import { assertFrames, utf8 } from "../_util/bytes.ts";
import { SENDS_AND_RECEIVES, testPairing } from "../_util/pairing.ts";
import type { PeerSocket } from "../_util/peer.ts";
import { echo, receiveMany, sendMany } from "../_util/traffic.ts";

// A ROUTER or REP drops what its peer has no room for; here nothing may be dropped.
const UNLIMITED = { ...SENDS_AND_RECEIVES, sendHighWaterMark: 0 };

testPairing("DEALER with libzmq's DEALER", {
  ours: () => new Dealer(SENDS_AND_RECEIVES),
  theirs: "Dealer",
  traffic: (ours, theirs, spec) =>
    Promise.all([
      sendMany(ours, spec),
      theirs.receiveMany(spec),
      theirs.sendMany({ ...spec, seed: 9 }),
      receiveMany(ours, { ...spec, seed: 9 }),
    ]),
});

testPairing("DEALER to libzmq's ROUTER", {
  ours: () => new Dealer(SENDS_AND_RECEIVES),
  theirs: "Router",
  theirOptions: { sendHighWaterMark: 0 },
  traffic: (ours, theirs, spec) =>
    Promise.all([sendMany(ours, spec), theirs.echo(spec.count), receiveMany(ours, spec)]),
});

testPairing("ROUTER to libzmq's DEALER", {
  ours: () => new Router(UNLIMITED),
  theirs: "Dealer",
  traffic: (ours, theirs, spec) =>
    Promise.all([theirs.sendMany(spec), echo(ours, spec.count), theirs.receiveMany(spec)]),
});

testPairing("DEALER to libzmq's REP", {
  ours: () => new Dealer(SENDS_AND_RECEIVES),
  theirs: "Reply",
  theirOptions: { sendHighWaterMark: 0 },
  traffic: (ours, theirs, spec) =>
    Promise.all([
      sendMany(ours, spec, ["hop", ""]),
      theirs.echo(spec.count),
      receiveMany(ours, spec, 2),
    ]),
});

testPairing("REP to libzmq's DEALER", {
  ours: () => new Reply(UNLIMITED),
  theirs: "Dealer",
  traffic: (ours, theirs, spec) =>
    Promise.all([
      theirs.sendMany(spec, "hop", ""),
      echo(ours, spec.count),
      theirs.receiveMany(spec, 2),
    ]),
});

testPairing("ROUTER with libzmq's ROUTER", {
  ours: () => new Router({ ...UNLIMITED, routingId: "ours", mandatory: true }),
  theirs: "Router",
  theirOptions: { routingId: "theirs", mandatory: true, sendHighWaterMark: 0 },
  traffic: async (ours, theirs, spec) => {
    await meet(ours, theirs);
    await Promise.all([
      sendMany(ours, spec, ["theirs"]),
      theirs.receiveMany(spec, 1),
      theirs.sendMany({ ...spec, seed: 9 }, "ours"),
      receiveMany(ours, { ...spec, seed: 9 }, 1),
    ]);
  },
});

// Neither ROUTER can address the other before the handshake has told it the name.
async function meet(ours: Router, theirs: PeerSocket): Promise<void> {
  await eventually(async () => {
    try {
      await ours.send(["theirs", "hello"]);
      return true;
    } catch {
      return false; // unknown still
    }
  });
  assertFrames(await theirs.receive(), ["ours", "hello"]);
  await theirs.send(utf8("ours"), "hello");
  assertFrames(await ours.receive(), ["theirs", "hello"]);
}
