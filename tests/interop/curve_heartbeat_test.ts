// Heartbeats inside CURVE, where PING and PONG are sealed as everything is: who only is quiet or busy stays, who stands still
// is given up.

import { assert, assertEquals } from "@std/assert";
import { it } from "@std/testing/bdd";
import { assertFrames } from "../_util/bytes.ts";
import { eventually, pause } from "../_util/deadline.ts";
import { type Program, start } from "../_util/process.ts";
import { ROLES } from "../_util/security_options.ts";
import { describeSides } from "../_util/security_sides.ts";
import { type End, inShort, tells } from "../_util/security_stage.ts";
import { BEATING_SPEC } from "../_util/security_traffic.ts";

const WAIT_MS = 15_000;
const BEATS = { heartbeatInterval: 40, heartbeatTimeout: 250, reconnectInterval: 40 } as const;
/** Only the other side's PINGs tell how long to wait. */
const ASKS = { heartbeatInterval: 40, heartbeatTimeout: 60_000, heartbeatTimeToLive: 300 } as const;
const { process } = globalThis as unknown as {
  process: { kill(pid: number, signal: string): void };
};

async function stayed(...ends: End[]): Promise<void> {
  for (const end of ends) {
    const told = (await end.eventLog()).map(inShort);
    assertEquals(told.filter((event) => event === "handshake").length, 1, told.join());
    assert(!told.some((event) => event.startsWith("disconnect")), told.join());
  }
}

describeSides("CURVE", "heartbeats", (sides, role) => {
  for (
    const [who, ourBeats, theirBeats] of [
      ["both beat", BEATS, BEATS],
      ["we beat", BEATS, {}],
      ["libzmq beats", {}, BEATS],
      ["both ask for beats", ASKS, ASKS],
    ] as const
  ) {
    it(`a quiet connection stays when ${who}`, async () => {
      const ours = await sides.openOurs("Push", ourBeats);
      const theirs = await sides.openTheirs("Pull", theirBeats);
      await theirs.connect(await ours.bind());
      await tells(ours, "handshake");
      await pause(700);
      await ours.send("still here");
      assertFrames(await theirs.receive(), ["still here"]);
      await stayed(ours, theirs);
    });
  }

  it("messages and heartbeats do not get in each other's way", async () => {
    const quick = { heartbeatInterval: 5, heartbeatTimeout: 10_000 };
    const ours = await sides.openOurs("Dealer", quick);
    const theirs = await sides.openTheirs("Dealer", quick);
    await theirs.connect(await ours.bind());
    const back = { ...BEATING_SPEC, seed: 72 };
    await Promise.all([
      ours.sendMany(BEATING_SPEC),
      theirs.receiveMany(BEATING_SPEC),
      theirs.sendMany(back),
      ours.receiveMany(back),
    ]);
    await stayed(ours, theirs);
  });

  it("a libzmq process that stands still is given up, and served when it goes on", async () => {
    const push = await sides.openOurs("Push", BEATS);
    const endpoint = await push.bind();
    const [mortal, pull] = await sides.openMortal("Pull", { reconnectInterval: 40 });
    await pull.connect(endpoint);
    await push.send("before");
    assertFrames(await pull.receive(), ["before"]);
    mortal.peer.freeze();
    await tells(push, "disconnect ETIMEDOUT");
    mortal.peer.thaw();
    await tells(push, "handshake", 2);
    await push.send("after");
    assertFrames(await pull.receive(), ["after"]);
  });

  it("our process that stands still is given up by libzmq, and served when it goes on", async () => {
    const pull = await sides.openTheirs("Pull", BEATS);
    const endpoint = await pull.bind();
    const options = JSON.stringify({ ...ROLES.CURVE[role], reconnectInterval: 40 });
    const program: Program = start("beating_peer.ts", "push", "connect", endpoint, options);
    try {
      await program.prints("at ");
      const pid = Number(/pid (\d+)/.exec(program.output)![1]);
      assertFrames(await pull.receive(), ["0"]);
      process.kill(pid, "SIGSTOP");
      // A client of another test may try its luck here as well, and be refused.
      await eventually(
        async () => {
          const told = (await pull.eventLog()).map(({ type }) => type);
          const refused = told.filter((type) => type.startsWith("handshake:error")).length;
          return told.filter((type) => type === "disconnect").length > refused;
        },
        WAIT_MS,
        "it is given up",
      );
      process.kill(pid, "SIGCONT");
      await tells(pull, "handshake", 2);
      // What had come before, and then what comes from the new connection.
      for (let number = 0; number < 40;) [[number]] = await pull.receiveSequence(1);
    } finally {
      await program.kill();
    }
  });
});
