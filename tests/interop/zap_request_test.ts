// What a handler is asked, frame by frame: a wasmq server asks what libzmq asks.

import { assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { it } from "@std/testing/bdd";
import { decodeZ85 } from "../../mod.ts";
import { textOf, textsOf } from "../_util/bytes.ts";
import { describeMeetings } from "../_util/security_meetings.ts";
import { CLIENT_KEYS, ROLES, type Roles, zapRule } from "../_util/security_options.ts";
import { SocketFolder } from "../_util/socket_folder.ts";

const MECHANISMS: Readonly<Record<string, Roles & { credentials: (string | Uint8Array)[] }>> = {
  NULL: { server: {}, client: {}, credentials: [] },
  PLAIN: { ...ROLES.PLAIN, credentials: ["admin", "secret"] },
  CURVE: { ...ROLES.CURVE, credentials: [decodeZ85(CLIENT_KEYS.publicKey)] },
};

for (const [mechanism, { server, client, credentials }] of Object.entries(MECHANISMS)) {
  const expected = credentials.map((x) => typeof x === "string" ? x : textOf(x));

  describeMeetings(`${mechanism}, a request`, (meeting, serverLibrary, clientLibrary) => {
    it("ZAP-REQ-01, ZAP-REQ-06: has the domain, the address and the credentials", async () => {
      await meeting.server.handleZap(zapRule());
      // libzmq fills in the server's own routing id where the client's belongs; it is not known yet.
      const joined = await meeting.join(
        { ...server, zapDomain: "the domain" },
        { ...client, routingId: "client" },
        ["Router", "Dealer"],
      );
      await joined.client.send("hello");
      await joined.server.receive();
      const requests = await meeting.server.zapRequests();
      assertEquals(requests.length, 1);
      const [version, id, domain, address, identity, ...rest] = textsOf(requests[0]);
      assertEquals([version, domain, address, identity, ...rest], [
        "1.0",
        "the domain",
        "127.0.0.1",
        "",
        mechanism,
        ...expected,
      ]);
      assertNotEquals(id, "");
    });

    it("comes for each connection", async () => {
      await meeting.server.handleZap(zapRule());
      const { server: puller, endpoint } = await meeting.join(
        { ...server, zapDomain: "many" },
        client,
      );
      const others = await Promise.all([1, 2, 3, 4].map(async () => {
        const push = await meeting.client.open("Push", client);
        await push.connect(endpoint);
        return push;
      }));
      for (const push of others) await push.send("hello");
      for (const _ of others) await puller.receive();
      // The first client's answer may still be on its way.
      const requests = await meeting.server.zapRequests();
      assertEquals(requests.length <= 5 && requests.length >= 4, true, String(requests.length));
      await Promise.all(others.map((push) => push.close()));
    });

    it("of a peer with IPv6 has its address without brackets", async () => {
      await meeting.server.handleZap(zapRule());
      const pull = await meeting.server.open("Pull", { ...server, zapDomain: "v6", ipv6: true });
      const push = await meeting.client.open("Push", { ...client, ipv6: true });
      try {
        await push.connect(await pull.bind("tcp://[::1]:*"));
        await push.send("hello");
        await pull.receive();
        const [request] = await meeting.server.zapRequests();
        assertEquals(textOf(request[3]), "::1");
      } finally {
        await Promise.all([push.close(), pull.close()]);
      }
    });

    it("of a peer over ipc has no host in it", async () => {
      await meeting.server.handleZap(zapRule());
      const folder = new SocketFolder();
      const pull = await meeting.server.open("Pull", { ...server, zapDomain: "ipc" });
      const push = await meeting.client.open("Push", client);
      try {
        await push.connect(await pull.bind(folder.endpoint("door")));
        await push.send("hello");
        await pull.receive();
        const [request] = await meeting.server.zapRequests();
        const address = textOf(request[3]);
        // libzmq asks the system for the user, the group and the process; no runtime tells them.
        if (serverLibrary === "wasmq") assertEquals(address, "", `a client of ${clientLibrary}`);
        else assertMatch(address, /^localhost:\d+:\d+:\d+$/);
      } finally {
        await Promise.all([push.close(), pull.close()]);
        folder.remove();
      }
    });

    it("of a connecting server has the address that it connected to", async () => {
      await meeting.server.handleZap(zapRule());
      const pull = await meeting.server.open("Pull", { ...server, zapDomain: "reverse" });
      const push = await meeting.client.open("Push", client);
      try {
        await pull.connect(await push.bind());
        await push.send("hello");
        await pull.receive();
        const [request] = await meeting.server.zapRequests();
        assertEquals(textsOf(request.slice(2, 4)), ["reverse", "127.0.0.1"]);
      } finally {
        await Promise.all([push.close(), pull.close()]);
      }
    });
  });
}
