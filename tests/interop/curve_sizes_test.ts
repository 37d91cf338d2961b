// Messages of every size around the borders that CURVE has: short and long frames, open and sealed, and the sizes at which
// one side or the other takes another way through its buffers.

import { it } from "@std/testing/bdd";
import type { MessageSpec } from "../_util/peer.ts";
import { describeSides } from "../_util/security_sides.ts";
import { SocketFolder } from "../_util/socket_folder.ts";

const BORDERS = [256, 480, 1_024, 32_768, 65_536, 131_072, 262_144];
/** What a frame gains when it is sealed: a flag and a tag, and with the command's name and nonce all in all 33 octets. */
const BEFORE = [-43, -34, -33, -32, -18, -17, -16, -9, -2, -1, 0, 1];

const BORDER_SIZES: MessageSpec = {
  seed: 31,
  count: BORDERS.length * BEFORE.length * 3,
  sizes: [...BORDERS.flatMap((border) => BEFORE.map((before) => border + before))],
  parts: [1, 3],
};

/** All that are smaller than a long frame and a little more. */
const SHORT_SIZES: MessageSpec = {
  seed: 32,
  count: 2 * 520,
  sizes: Array.from({ length: 520 }, (_, size) => size),
  parts: [1, 2],
};

const HUGE: MessageSpec = {
  seed: 33,
  count: 12,
  sizes: [1_048_576, 1_048_576 - 33, 1_048_577, 1_000_000, 0, 777_777],
  parts: [1, 4],
};

/** Long and short frames side by side in messages of up to fifty. */
const MIXED: MessageSpec = {
  seed: 34,
  count: 150,
  sizes: [0, 70_000, 1, 5, 222, 223, 480, 5_000, 255, 40_000, 31, 256, 200_000, 2, 100, 33_000],
  parts: [1, 50],
};

const SPECS = { BORDER_SIZES, SHORT_SIZES, HUGE, MIXED };
const WORDS: Readonly<Record<keyof typeof SPECS, string>> = {
  BORDER_SIZES: "around every border",
  SHORT_SIZES: "of each size up to 519",
  HUGE: "of a megabyte and about",
  MIXED: "of up to fifty frames, short and long",
};

describeSides("CURVE", "messages", (sides) => {
  for (const name of Object.keys(SPECS) as (keyof typeof SPECS)[]) {
    it(`${WORDS[name]} arrive, both ways at once`, async () => {
      const ours = await sides.openOurs("Dealer");
      const theirs = await sides.openTheirs("Dealer");
      await theirs.connect(await ours.bind());
      const spec = SPECS[name];
      const back = { ...spec, seed: spec.seed + 100 };
      await Promise.all([
        ours.sendMany(spec),
        theirs.receiveMany(spec),
        theirs.sendMany(back),
        ours.receiveMany(back),
      ]);
    });

    it(`CURVE-MSG-11: ${WORDS[name]} arrive over ipc`, async () => {
      const folder = new SocketFolder();
      try {
        const ours = await sides.openOurs("Pair");
        const theirs = await sides.openTheirs("Pair");
        await ours.connect(await theirs.bind(folder.endpoint("sizes")));
        const spec = SPECS[name];
        const back = { ...spec, seed: spec.seed + 100 };
        await Promise.all([ours.sendMany(spec), theirs.receiveMany(spec)]);
        await Promise.all([theirs.sendMany(back), ours.receiveMany(back)]);
      } finally {
        folder.remove();
      }
    });
  }

  it("of all sizes come back from an echo in lock-step", async () => {
    const request = await sides.openOurs("Request");
    const reply = await sides.openTheirs("Reply");
    await request.connect(await reply.bind());
    const spec = { ...BORDER_SIZES, parts: [1, 1] as const, count: BORDER_SIZES.sizes.length };
    await Promise.all([request.exchange(spec), reply.echo(spec.count)]);
  });
});
