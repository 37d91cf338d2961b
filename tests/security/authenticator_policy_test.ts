// Policies of an Authenticator: domains with rules of their own, and what is no policy at all.

import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Authenticator, type AuthenticatorPolicy } from "../../mod.ts";
import { assertSays, failure } from "../_util/rejection.ts";
import { curveAs, plainAs, ZapAsker } from "../_util/zap_asker.ts";
import { CLIENT_KEYS, MECHANISM_NAMES, PASSWORD, USERNAME } from "../_util/zap_mechanisms.ts";
import { assertDenied, assertLetIn, ZapStage } from "../_util/zap_stage.ts";

const stage = new ZapStage();

function authenticator(policy: AuthenticatorPolicy): Authenticator {
  return stage.cleanup.add(new Authenticator({ context: stage.context, ...policy }));
}

function asker(): ZapAsker {
  return stage.cleanup.add(new ZapAsker(stage.context));
}

describe("domains of an Authenticator", () => {
  afterEach(() => stage.clear());

  it("have passwords of their own", async () => {
    authenticator({
      plain: { [USERNAME]: "elsewhere" },
      domains: {
        one: { plain: { [USERNAME]: "first" } },
        two: { plain: { [USERNAME]: "second" } },
      },
    });
    const questions = asker();
    const of = (domain: string, word: string) =>
      questions.status({ ...plainAs(USERNAME, word), domain });
    for (const [domain, word] of [["one", "first"], ["two", "second"], ["three", "elsewhere"]]) {
      for (const tried of ["first", "second", "elsewhere"]) {
        const status = tried === word ? "200" : "400";
        assertEquals(await of(domain, tried), status, `${tried} in ${domain}`);
      }
    }
    assertEquals(await of("", "elsewhere"), "200", "no domain");
  });

  it("may be in a Map", async () => {
    authenticator({
      domains: new Map([["open", { plain: { [USERNAME]: PASSWORD } }], ["shut", {}]]),
    });
    const questions = asker();
    const of = (domain: string) => questions.status({ ...plainAs(USERNAME, PASSWORD), domain });
    assertEquals([await of("open"), await of("shut"), await of("other")], ["200", "400", "400"]);
  });

  it("have keys of their own", async () => {
    authenticator({
      curve: [],
      domains: { open: { curve: "any" }, ours: { curve: [CLIENT_KEYS.publicKey] } },
    });
    const questions = asker();
    const stranger = CLIENT_KEYS.publicOctets.slice().fill(7);
    const of = (domain: string, key: Uint8Array) => questions.status({ ...curveAs(key), domain });
    assertEquals(
      [await of("open", stranger), await of("ours", stranger), await of("other", stranger)],
      ["200", "400", "400"],
    );
    const ours = CLIENT_KEYS.publicOctets;
    assertEquals(
      [await of("open", ours), await of("ours", ours), await of("other", ours)],
      ["200", "200", "400"],
    );
  });

  it("have addresses of their own", async () => {
    authenticator({
      domains: { inside: { allow: "10.0.0.0/8" }, outside: { deny: "10.0.0.0/8" } },
    });
    const questions = asker();
    const of = (domain: string, address: string) => questions.status({ domain, address });
    assertEquals(
      [await of("inside", "10.1.1.1"), await of("outside", "10.1.1.1")],
      ["200", "400"],
    );
    assertEquals([await of("inside", "11.1.1.1"), await of("outside", "11.1.1.1")], ["400", "200"]);
  });

  it("by names that every object has are no domains", async () => {
    authenticator({ plain: { [USERNAME]: PASSWORD }, domains: {} });
    const questions = asker();
    for (const domain of ["constructor", "__proto__", "toString"]) {
      assertEquals(await questions.status({ ...plainAs(USERNAME, PASSWORD), domain }), "200");
      assertEquals(await questions.status({ ...plainAs(USERNAME, "wrong"), domain }), "400");
    }
  });

  it("are what servers say, each for itself", async () => {
    authenticator({ domains: { open: {}, shut: { deny: ["0.0.0.0/0", "::/0"] } } });
    const open = await stage.server("tcp", { zapDomain: "open" });
    const shut = await stage.server("tcp", { zapDomain: "shut" });
    await assertLetIn(stage.client(open.address), open);
    await assertDenied(stage.client(shut.address), shut, 400);
  });
});

describe("an Authenticator without rules", () => {
  afterEach(() => stage.clear());

  it("lets in NULL alone", async () => {
    authenticator({});
    for (const mechanism of MECHANISM_NAMES) {
      const server = await stage.asking("tcp", mechanism);
      const client = stage.coming(server.address, mechanism);
      if (mechanism === "NULL") await assertLetIn(client, server);
      else await assertDenied(client, server, 400);
    }
  });

  it("may be made without a policy at all", async () => {
    const auth = stage.cleanup.add(new Authenticator());
    assertEquals(auth.stats(), { accepted: 0, denied: 0, failed: 0 });
    await auth.close();
  });

  it("ZAP-REQ-07: does not let in by a mechanism that it does not know", async () => {
    const auth = authenticator({ plain: () => true, curve: "any" });
    for (const credentials of [[], ["principal"], ["a", "b"], [new Uint8Array(32)]]) {
      const status = await asker().status({ mechanism: "GSSAPI", credentials });
      assert(["400", "500"].includes(status), status);
    }
    assertEquals(auth.stats().accepted, 0);
  });
});

/** Requests that break RFC 27; whatever is answered, it is no yes, and the next request is served. */
const BROKEN_REQUESTS: Readonly<Record<string, readonly (string | Uint8Array)[]>> = {
  "of another version": ["2.0", "1", "", "127.0.0.1", "", "NULL"],
  "with credentials for NULL": ["1.0", "1", "", "127.0.0.1", "", "NULL", "x"],
  "without a mechanism": ["1.0", "1", "", "127.0.0.1", "", ""],
  "that ends after the address": ["1.0", "1", "", "127.0.0.1"],
  "of a version alone": ["1.0"],
  "of one empty frame": [""],
};

describe("an Authenticator that gets a request", () => {
  afterEach(() => stage.clear());

  for (const [what, frames] of Object.entries(BROKEN_REQUESTS)) {
    it(`ZAP-REQ-01, ZAP-REQ-02, ZAP-REQ-07: ${what} does not say yes, and goes on`, async () => {
      authenticator({ plain: () => true, curve: "any" });
      const broken = asker();
      const answered = broken.askFrames(frames as string[]).then(({ status }) => status, () => "");
      const questions = asker();
      assertEquals(await questions.status({}), "200");
      await broken.close();
      assert((await answered) !== "200");
    });
  }
});

const SECRET = "a-secret-that-nobody-may-read";

/** What is no policy, and what the error says of it besides the name of the option. */
const WRONG: readonly (readonly [what: string, policy: object, ...says: string[]])[] = [
  ["an unknown option", { passwords: { a: SECRET } }, "passwords"],
  ["an address that is none", { allow: "localhost" }, "allow", "localhost"],
  ["a network with too many bits", { allow: "10.0.0.0/33" }, "allow", "10.0.0.0/33"],
  ["an address with a port", { deny: ["127.0.0.1:80"] }, "deny", "127.0.0.1:80"],
  ["an empty address", { deny: [""] }, "deny"],
  ["a list that is none", { allow: 5 }, "allow", "number"],
  ["a list with a number in it", { deny: ["::1", 5] }, "deny", "number"],
  ["passwords that are none", { plain: 5 }, "plain", "number"],
  ["passwords that are a text", { plain: SECRET }, "plain", "string"],
  ["passwords that are null", { plain: null }, "plain", "null"],
  ["passwords that are an array", { plain: [[USERNAME, SECRET]] }, "plain"],
  ["a password that is a number", { plain: { [USERNAME]: 12_345_678 } }, "plain", "string"],
  ["a password that is null", { plain: { [USERNAME]: null } }, "plain", "string"],
  ["a password of a Map that is a number", { plain: new Map([[USERNAME, 12_345_678]]) }, "plain"],
  ["a name of a Map that is no text", { plain: new Map([[5, SECRET]]) }, "plain"],
  [
    "a password that PLAIN cannot carry",
    { plain: { [USERNAME]: SECRET.repeat(9) } },
    "plain",
    "255",
  ],
  ["one in a Map", { plain: new Map([[USERNAME, "✓".repeat(86)]]) }, "plain", "255"],
  ["a name that PLAIN cannot carry", { plain: { ["u".repeat(256)]: SECRET } }, "plain", "255"],
  ["keys that are one text", { curve: SECRET }, "curve", "any"],
  ["keys that are one key", { curve: CLIENT_KEYS.publicKey }, "curve"],
  ["keys that are a number", { curve: 5 }, "curve", "number"],
  ["keys that are null", { curve: null }, "curve", "null"],
  ["a key that is too short", { curve: [SECRET] }, "curve", "40"],
  ["a key that is no Z85", { curve: ["~".repeat(40)] }, "curve", "40"],
  ["a key of 31 octets", { curve: [new Uint8Array(31)] }, "curve", "32"],
  ["a key that is a number", { curve: [5] }, "curve"],
  ["domains that are none", { domains: 5 }, "domains"],
  ["domains that are null", { domains: null }, "domains"],
  ["domains in a Map that are none", { domains: new Map([["one", 5]]) }, "one"],
  ["a domain that no socket can have", { domains: { ["d".repeat(256)]: {} } }, "domains", "255"],
  ["a domain that is none", { domains: { one: 5 } }, "domains", "one"],
  ["a domain with a wrong list", { domains: { one: { allow: "nowhere" } } }, "one", "nowhere"],
  ["a domain with a wrong password", { domains: { one: { plain: { a: 5 } } } }, "one", "plain"],
  ["a domain with an unknown option", { domains: { one: { domains: {} } } }, "one", "domains"],
];

describe("what is no policy", () => {
  afterEach(() => stage.clear());

  for (const [what, policy, ...says] of WRONG) {
    it(`is refused by name: ${what}`, async () => {
      const error = failure(() => authenticator(policy as AuthenticatorPolicy), "EINVAL");
      assert(error instanceof TypeError || error instanceof RangeError, error.name);
      assertSays(error, ...says);
      for (const secret of [SECRET, "12345678"]) assert(!error.message.includes(secret));

      // Nothing was bound by it, and what is bound goes on as before.
      const auth = authenticator({ plain: { [USERNAME]: PASSWORD } });
      failure(() => auth.configure(policy as AuthenticatorPolicy), "EINVAL");
      assertEquals(await asker().status(plainAs(USERNAME, PASSWORD)), "200");
    });
  }

  for (const policy of [null, 5, "any", () => true]) {
    it(`is refused: ${policy === null ? "null" : typeof policy}`, () => {
      const error = failure(() => new Authenticator(policy as never), "EINVAL");
      assertInstanceOf(error, TypeError);
    });
  }

  it("is refused with a context that is none", () => {
    const error = failure(() => new Authenticator({ context: {} as never }), "EINVAL");
    assertSays(error, "context");
  });

  it("names a context, for one that is bound: it stays where it is", () => {
    const auth = authenticator({});
    const error = failure(() => auth.configure({ context: stage.context } as object), "EINVAL");
    assertSays(error, "context");
  });
});
