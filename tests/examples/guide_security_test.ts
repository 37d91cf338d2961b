// The guide's programs about security: each lets in the right ones, refuses the others and ends by itself.

import { assertEquals, assertMatch } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { tell } from "./tell.ts";

describe("the guide's programs about security", () => {
  it("strawhouse: an address is let in until it is denied", async () => {
    const story = await tell("strawhouse.ts");
    assertEquals(story.trim().split("\n"), [
      "pig: welcome, pig",
      "wolf: refused, 400",
      "1 let in, 1 refused",
    ]);
  });

  it("woodhouse: a name needs its own password", async () => {
    const story = await tell("woodhouse.ts");
    assertEquals(story.trim().split("\n"), [
      `pig with "clover": welcome, pig`,
      `hen with "barley": welcome, hen`,
      `pig with "open up": refused, 400`,
      `wolf with "clover": refused, 400`,
      "2 let in, 2 refused",
    ]);
  });

  it("stonehouse: whoever has the server's key gets in", async () => {
    const story = await tell("stonehouse.ts");
    const [keys, pig, hen, ...wolf] = story.trim().split("\n");
    assertMatch(keys, /^the house's public key is \S{40}, its secret key is kept secret$/);
    assertEquals([pig, hen], ["pig: welcome, pig", "hen: welcome, hen"]);
    // Who hears of it first is up to the scheduler.
    assertEquals(wolf.sort(), [
      "the house turned somebody away: ERR_ZMTP_CRYPTOGRAPHIC",
      "wolf: not even an answer",
    ]);
  });

  it("ironhouse: a key is let in once it is known", async () => {
    const story = await tell("ironhouse.ts");
    assertEquals(story.trim().split("\n"), [
      "pig: welcome, pig",
      "hen: refused, 400",
      "hen: welcome, hen",
      "wolf: refused, 400",
      "2 let in, 2 refused",
    ]);
  });
});
