// The life of an Authenticator: bound at once, configured again while peers come, closed, followed by another.

import { assert, assertEquals } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import { Authenticator, type AuthenticatorPolicy, Context, context as common } from "../../mod.ts";
import { SYSTEM_TRANSPORTS } from "../_util/anywhere.ts";
import { eventually, pause } from "../_util/deadline.ts";
import { codeOf } from "../_util/event_log.ts";
import { assertSays, failure } from "../_util/rejection.ts";
import { describeOver } from "../_util/transports.ts";
import { curveAs, plainAs, ZapAsker } from "../_util/zap_asker.ts";
import { ZAP_ENDPOINT } from "../_util/zap_handler.ts";
import { MECHANISM_NAMES, PASSWORD, USERNAME } from "../_util/zap_mechanisms.ts";
import { assertDenied, assertLetIn, ZapStage } from "../_util/zap_stage.ts";

const stage = new ZapStage();
const OPEN: AuthenticatorPolicy = { plain: { [USERNAME]: PASSWORD }, curve: "any" };
const SHUT: AuthenticatorPolicy = { deny: ["0.0.0.0/0", "::/0"] };

function authenticator(policy: AuthenticatorPolicy = OPEN): Authenticator {
  return stage.cleanup.add(new Authenticator({ context: stage.context, ...policy }));
}

describeOver(SYSTEM_TRANSPORTS, "an Authenticator", (transport) => {
  afterEach(() => stage.clear());

  it("serves as soon as it is made", async () => {
    authenticator();
    for (const mechanism of MECHANISM_NAMES) {
      const server = await stage.asking(transport, mechanism);
      await assertLetIn(stage.coming(server.address, mechanism), server);
    }
  });

  it("goes by what it was told last, and leaves those who are in", async () => {
    const auth = authenticator();
    const server = await stage.asking(transport, "PLAIN");
    const inside = stage.coming(server.address, "PLAIN");
    await assertLetIn(inside, server);
    for (let round = 0; round < 3; round++) {
      auth.configure({ plain: { [USERNAME]: "changed" } });
      await assertDenied(stage.coming(server.address, "PLAIN"), server, 400);
      await assertLetIn(inside, server);
      auth.configure(OPEN);
      await assertLetIn(stage.coming(server.address, "PLAIN"), server);
    }
  });

  it("leaves a PLAIN server without a handler when it is closed, until there is another", async () => {
    const auth = authenticator();
    const server = await stage.asking(transport, "PLAIN");
    await assertLetIn(stage.coming(server.address, "PLAIN"), server);
    await auth.close();
    const client = stage.coming(server.address, "PLAIN");
    assertEquals(codeOf(await server.log.next("handshake:error:other")), "EFAULT");
    authenticator();
    await assertLetIn(client, server);
  });
});

describe("an Authenticator", () => {
  afterEach(() => stage.clear());

  it("ZAP-ARCH-02, ZAP-ARCH-03: is the only handler of its context", async () => {
    const auth = authenticator();
    const error = failure(() => authenticator(), "EADDRINUSE");
    assertSays(error, ZAP_ENDPOINT);
    const server = await stage.asking("tcp", "PLAIN");
    await assertLetIn(stage.coming(server.address, "PLAIN"), server);
    await auth.close();
    authenticator();
    const next = stage.coming(server.address, "PLAIN");
    await assertLetIn(next, server);
  });

  it("does not stand beside a handler that somebody else bound", async () => {
    const handler = await stage.handler();
    failure(() => authenticator(), "EADDRINUSE");
    await handler.close();
    authenticator();
  });

  it("that is refused its place leaves nothing behind", async () => {
    const context = new Context({ maxSockets: 3 });
    stage.cleanup.add(new Authenticator({ context }));
    for (let i = 0; i < 10; i++) {
      failure(() => new Authenticator({ context }), "EADDRINUSE");
      await pause(0);
    }
    failure(() => new Authenticator({ context, allow: "nonsense" }), "EINVAL");
  });

  it("is of the common context unless it is given another", async () => {
    const ours = authenticator();
    const of = stage.cleanup.add(new Authenticator(OPEN));
    const server = await stage.asking("tcp", "PLAIN", { context: common });
    await assertLetIn(stage.coming(server.address, "PLAIN"), server);
    assertEquals([ours.stats().accepted, of.stats().accepted], [0, 1]);
    failure(() => new Authenticator(OPEN), "EADDRINUSE");
  });

  it("needs a context that is open", async () => {
    const context = new Context();
    await context.terminate();
    failure(() => new Authenticator({ ...OPEN, context }), "EFAULT");
  });

  it("whose reply is above the context's maxMessageSize answers all the same, and goes on", async () => {
    const context = new Context({ maxMessageSize: 35 });
    const metadata = { "X-Role": "x".repeat(100) };
    stage.cleanup.add(
      new Authenticator({
        context,
        curve: "any",
        plain: ({ username }) => ({ userId: username, metadata }),
      }),
    );
    const asker = stage.cleanup.add(new ZapAsker(context));
    // The user id of a key is its 40 characters.
    for (const question of [curveAs(new Uint8Array(32)), plainAs("a", "b")]) {
      const status = await asker.status(question);
      assert(["200", "500"].includes(status), status);
    }
    assertEquals(await asker.status({}), "200");
  });

  it("may be closed twice, at once and later", async () => {
    const auth = authenticator();
    await Promise.all([auth.close(), auth.close()]);
    await auth.close();
    authenticator();
  });

  it("is closed at the end of a block that uses it", async () => {
    // As `await using` does, which not every runtime knows.
    const auth = authenticator();
    await auth[Symbol.asyncDispose]();
    assertEquals(auth.closed, true);
    authenticator();
  });

  it("ends with its context", async () => {
    const auth = authenticator();
    const server = await stage.asking("tcp", "PLAIN");
    await assertLetIn(stage.coming(server.address, "PLAIN"), server);
    await stage.context.terminate();
    await auth.close();
    assertEquals(auth.stats().accepted, 1);
  });

  it("counts whom it let in, whom it did not, and what it could not tell", async () => {
    const auth = authenticator({
      plain: ({ username }) => {
        if (username === "trouble") throw new Error("no database");
        return username === "friend";
      },
    });
    assertEquals(auth.stats(), { accepted: 0, denied: 0, failed: 0 });
    const questions = stage.cleanup.add(new ZapAsker(stage.context));
    for (const name of ["friend", "foe", "friend", "trouble", "friend", "foe"]) {
      await questions.ask(plainAs(name, "x"));
    }
    await questions.ask({ mechanism: "NULL" });
    assertEquals(auth.stats(), { accepted: 4, denied: 2, failed: 1 });
    auth.configure(OPEN);
    assertEquals(auth.stats().accepted, 4, "they go on");
    const before = auth.stats();
    await questions.ask(plainAs(USERNAME, PASSWORD));
    assertEquals([before.accepted, auth.stats().accepted], [4, 5]);
  });

  it("that is closed while a callback is at work leaves nobody waiting", async () => {
    let asked = 0;
    const gate = Promise.withResolvers<boolean>();
    const auth = authenticator({
      plain: () => {
        asked++;
        return gate.promise;
      },
    });
    const server = await stage.asking("tcp", "PLAIN");
    const client = stage.coming(server.address, "PLAIN");
    await eventually(() => asked === 1);
    await auth.close();
    await server.log.next("handshake:error:other");
    gate.resolve(true);
    await client.log.next("connect:retry");
    assertEquals(client.log.of("handshake"), []);
    authenticator();
    await assertLetIn(client, server);
  });

  it("that is configured while a callback is at work lets it end", async () => {
    let asked = 0;
    const gate = Promise.withResolvers<boolean>();
    const auth = authenticator({
      plain: () => {
        asked++;
        return gate.promise;
      },
    });
    const server = await stage.asking("tcp", "PLAIN");
    const client = stage.coming(server.address, "PLAIN");
    await eventually(() => asked === 1);
    auth.configure(SHUT);
    gate.resolve(true);
    await assertLetIn(client, server);
    await assertDenied(stage.coming(server.address, "PLAIN"), server, 400);
  });

  it("may be configured by its own callback, over and over, while many come", async () => {
    const open: AuthenticatorPolicy = { plain: () => next(shut, true) };
    const shut: AuthenticatorPolicy = { plain: () => next(open, false) };
    const auth = authenticator(open);
    function next(policy: AuthenticatorPolicy, verdict: boolean): boolean {
      auth.configure(policy);
      return verdict;
    }
    const server = await stage.asking("tcp", "PLAIN");
    const clients = Array.from({ length: 40 }, () => stage.coming(server.address, "PLAIN"));
    const count = (type: "handshake" | "handshake:error:auth") =>
      clients.reduce((sum, { log }) => sum + log.of(type).length, 0);
    await eventually(() => count("handshake") + count("handshake:error:auth") === 40);
    assertEquals(auth.stats(), { accepted: 20, denied: 20, failed: 0 });
    assertEquals([count("handshake"), count("handshake:error:auth")], [20, 20]);
  });
});
