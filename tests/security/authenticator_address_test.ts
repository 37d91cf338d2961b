// An Authenticator's lists of addresses: whom they let in, of any family, in any notation.

import { assertEquals } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Authenticator, type AuthenticatorPolicy } from "../../mod.ts";
import { SYSTEM_TRANSPORTS } from "../_util/anywhere.ts";
import { describeOver } from "../_util/transports.ts";
import { ZapAsker } from "../_util/zap_asker.ts";
import { MECHANISM_NAMES, PASSWORD, USERNAME } from "../_util/zap_mechanisms.ts";
import { assertDenied, assertLetIn, ZapStage } from "../_util/zap_stage.ts";

const stage = new ZapStage();

/** What the mechanisms need besides an address. */
const EVERYBODY: AuthenticatorPolicy = { plain: { [USERNAME]: PASSWORD }, curve: "any" };

function authenticator(policy: AuthenticatorPolicy): Authenticator {
  return stage.cleanup.add(new Authenticator({ context: stage.context, ...policy }));
}

interface Lists {
  readonly allow?: string | string[];
  readonly deny?: string | string[];
}

/** Lists, whom they let in, and whom they do not. */
const LISTS: Readonly<Record<string, readonly [Lists, inside: string[], outside: string[]]>> = {
  "none": [{}, ["127.0.0.1", "10.1.2.3", "::1", "2001:db8::1", ""], []],
  "one address allowed": [
    { allow: "10.1.2.3" },
    ["10.1.2.3", "::ffff:10.1.2.3", "::ffff:a01:203", "0:0:0:0:0:ffff:10.1.2.3"],
    ["10.1.2.4", "11.1.2.3", "::1", "::10.1.2.3", "fe80::ffff:10.1.2.3", ""],
  ],
  "a network allowed": [
    { allow: "10.1.0.0/16" },
    ["10.1.0.0", "10.1.2.3", "10.1.255.255", "::ffff:10.1.2.3"],
    ["10.0.255.255", "10.2.0.0", "::ffff:10.2.0.0", "::1"],
  ],
  "a network that ends within an octet": [
    { allow: "192.168.1.64/27" },
    ["192.168.1.64", "192.168.1.95"],
    ["192.168.1.63", "192.168.1.96"],
  ],
  "a network written with an address of it": [
    { allow: "10.1.2.3/8" },
    ["10.0.0.0", "10.255.255.255"],
    ["11.0.0.0"],
  ],
  "several allowed": [
    { allow: ["10.0.0.0/8", "192.168.1.1", "2001:db8::/32"] },
    ["10.9.9.9", "192.168.1.1", "2001:db8:1::1", "::ffff:10.9.9.9"],
    ["192.168.1.2", "2001:db9::1", "127.0.0.1"],
  ],
  "nobody allowed": [{ allow: [] }, [], ["127.0.0.1", "::1", "10.1.2.3", ""]],
  "this machine's ipc allowed": [{ allow: "ipc" }, [""], ["127.0.0.1", "::1"]],
  "ipc and a network allowed": [
    { allow: ["127.0.0.0/8", "ipc"] },
    ["", "127.0.0.1", "::ffff:127.0.0.1"],
    ["::1", "10.1.2.3"],
  ],
  "ipc denied": [{ deny: "ipc" }, ["127.0.0.1", "::1"], [""]],
  "all networks denied": [{ deny: ["0.0.0.0/0", "::/0"] }, [""], ["127.0.0.1", "::1", "1.2.3.4"]],
  "one address denied": [
    { deny: "10.1.2.3" },
    ["10.1.2.4", "::1"],
    ["10.1.2.3", "::ffff:10.1.2.3", "::ffff:0a01:0203"],
  ],
  "a network denied": [
    { deny: "10.0.0.0/8" },
    ["11.0.0.0", "::1"],
    ["10.0.0.0", "10.255.0.1", "::ffff:10.1.1.1"],
  ],
  "all IPv4 denied": [{ deny: "0.0.0.0/0" }, ["::1", "fe80::1"], ["127.0.0.1", "::ffff:1.2.3.4"]],
  "all IPv6 denied": [{ deny: "::/0" }, ["127.0.0.1"], ["::1", "fe80::1%eth0", "2001:db8::1"]],
  "nobody denied": [{ deny: [] }, ["127.0.0.1", "::1"], []],
  "denied within what is allowed": [
    { allow: "10.0.0.0/8", deny: ["10.1.0.0/16", "10.2.2.2"] },
    ["10.0.0.1", "10.2.2.1"],
    ["10.1.0.1", "10.2.2.2", "11.0.0.1"],
  ],
  "denied and allowed at once": [{ allow: "10.1.2.3", deny: "10.1.2.3" }, [], ["10.1.2.3"]],
  "an IPv6 address": [
    { allow: "2001:db8::1" },
    ["2001:db8::1", "2001:0db8:0:0:0:0:0:1", "2001:DB8::0001"],
    ["2001:db8::2", "127.0.0.1"],
  ],
  "an IPv6 network of a link": [
    { allow: "fe80::/10" },
    ["fe80::1", "febf::1", "fe80::1%eth0"],
    ["fec0::1", "127.0.0.1"],
  ],
  "an IPv4 address written as an IPv6 one": [
    { allow: "::ffff:10.1.2.3" },
    ["10.1.2.3", "::ffff:10.1.2.3"],
    ["10.1.2.4", "::ffff:10.1.2.4"],
  ],
  "an IPv4 network written as an IPv6 one": [
    { deny: "::ffff:10.0.0.0/104" },
    ["11.0.0.0", "::1"],
    ["10.0.0.0", "10.255.255.255", "::ffff:10.1.2.3"],
  ],
};

describe("an Authenticator with", () => {
  afterEach(() => stage.clear());

  for (const [what, [lists, inside, outside]] of Object.entries(LISTS)) {
    it(`${what} lets in whom it should, and nobody else`, async () => {
      authenticator({ ...EVERYBODY, ...lists });
      const asker = stage.cleanup.add(new ZapAsker(stage.context));
      for (const address of inside) {
        assertEquals(await asker.status({ address }), "200", `${address} is to come in`);
      }
      for (const address of outside) {
        assertEquals(await asker.status({ address }), "400", `${address} is to stay out`);
      }
    });
  }

  it("an address that nobody can read never lets it in by a list", async () => {
    authenticator({ allow: ["0.0.0.0/0", "::/0"] });
    const asker = stage.cleanup.add(new ZapAsker(stage.context));
    for (const address of ["nonsense", "1.2.3", "1.2.3.4.5", "1.2.3.4:5", "[::1]", "1.2.3.4/8"]) {
      assertEquals(await asker.status({ address }), "400", address);
    }
  });

  it("lists asks for credentials as well: an address is not enough", async () => {
    authenticator({ allow: "127.0.0.1", plain: { [USERNAME]: "another" }, curve: [] });
    for (const mechanism of ["PLAIN", "CURVE"] as const) {
      const server = await stage.asking("tcp", mechanism);
      await assertDenied(stage.coming(server.address, mechanism), server, 400);
    }
  });
});

describe("an Authenticator's lists", () => {
  afterEach(() => stage.clear());

  for (const mechanism of MECHANISM_NAMES) {
    it(`count for ${mechanism}: deny`, async () => {
      authenticator({ ...EVERYBODY, deny: "127.0.0.2" });
      const server = await stage.asking("tcp", mechanism);
      const from = (source: string) => server.address.replace("tcp://", `tcp://${source}:0;`);
      await assertLetIn(stage.coming(from("127.0.0.1"), mechanism), server);
      await assertDenied(stage.coming(from("127.0.0.2"), mechanism), server, 400);
    });

    it(`count for ${mechanism}: allow`, async () => {
      authenticator({ ...EVERYBODY, allow: "127.0.0.2" });
      const server = await stage.asking("tcp", mechanism);
      const from = (source: string) => server.address.replace("tcp://", `tcp://${source}:0;`);
      await assertLetIn(stage.coming(from("127.0.0.2"), mechanism), server);
      await assertDenied(stage.coming(from("127.0.0.1"), mechanism), server, 400);
    });
  }

  it("count for IPv6", async () => {
    const policy = { allow: "::1" };
    const auth = authenticator(policy);
    const server = await stage.asking("tcp://[::1]:*", "NULL");
    await assertLetIn(stage.client(server.address), server);
    auth.configure({ deny: "::1" });
    await assertDenied(stage.client(server.address), server, 400);
  });

  it("know an IPv4 peer at a socket of both families", async () => {
    const auth = authenticator({ allow: "127.0.0.1" });
    const server = await stage.asking("tcp://[::]:*", "NULL");
    const address = server.address.replace("[::]", "127.0.0.1");
    await assertLetIn(stage.client(address), server);
    auth.configure({ deny: "127.0.0.0/8" });
    await assertDenied(stage.client(address), server, 400);
  });
});

describe("an Authenticator's lists over ipc", () => {
  afterEach(() => stage.clear());

  for (const mechanism of MECHANISM_NAMES) {
    it(`know ${mechanism} peers that have no address`, async () => {
      const auth = authenticator({ ...EVERYBODY, allow: "127.0.0.1" });
      const server = await stage.asking("ipc", mechanism);
      await assertDenied(stage.coming(server.address, mechanism), server, 400);
      auth.configure({ ...EVERYBODY, allow: ["127.0.0.1", "ipc"] });
      await assertLetIn(stage.coming(server.address, mechanism), server);
      auth.configure({ ...EVERYBODY, deny: "ipc" });
      await assertDenied(stage.coming(server.address, mechanism), server, 400);
    });
  }
});

describeOver(SYSTEM_TRANSPORTS, "an Authenticator without lists", (transport) => {
  afterEach(() => stage.clear());

  for (const mechanism of MECHANISM_NAMES) {
    it(`lets in ${mechanism} clients from anywhere`, async () => {
      authenticator(EVERYBODY);
      const server = await stage.asking(transport, mechanism);
      await assertLetIn(stage.coming(server.address, mechanism), server);
    });
  }
});
