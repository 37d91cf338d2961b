// The options of zeromq.js: each is there, and its default is the same.

import { assert, assertEquals } from "@std/assert";
import { after, before, describe, it } from "@std/testing/bdd";
import { Stage } from "./stage.ts";

/** Name and default; zeromq.js cannot read some of its own. */
type Options = Readonly<Record<string, unknown>>;

const UNKNOWN_DEFAULTS = ["write only", "unreadable"];

/** What comes with the mechanisms. */
const SECURITY = /^(plain|curve|gssapi|zap|securityMechanism)/;

describe("the options of zeromq.js", () => {
  let stage: Stage;
  let theirs: Readonly<Record<string, Options>>;
  let ours: Readonly<Record<string, Options>>;
  before(async () => {
    stage = new Stage();
    theirs = JSON.parse(await stage.runWithZeromqJs("options.ts"));
    ours = JSON.parse(await stage.run("options.ts"));
  });
  after(() => stage.destroy());

  for (
    const name of [
      "Pair",
      "Publisher",
      "Subscriber",
      "Request",
      "Reply",
      "Dealer",
      "Router",
      "Pull",
      "Push",
      "XPublisher",
      "XSubscriber",
      "Stream",
      "Context",
    ]
  ) {
    it(`are those of ${name}, with the same defaults`, () => {
      const options = Object.entries(theirs[name]).filter(([option]) => !SECURITY.test(option));
      assert(options.length > 5);
      for (const [option, value] of options) {
        assert(option in ours[name], `${name} has no ${option}`);
        if (UNKNOWN_DEFAULTS.includes(value as string)) continue;
        assertEquals(ours[name][option], value, `${name}.${option}`);
      }
    });
  }
});
