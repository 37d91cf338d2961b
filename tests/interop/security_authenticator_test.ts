// Our Authenticator before libzmq clients, whose own events tell what they were told.

import { assertEquals, assertGreater } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { Authenticator, Context, metadataOf, Pull } from "../../mod.ts";
import { assertFrames } from "../_util/bytes.ts";
import { type Peer, type PeerOptions, type PeerSocket, startPeer } from "../_util/peer.ts";
import { ANY_PORT } from "../_util/ports.ts";
import { CLIENT_KEYS, ROLES, SERVER_KEYS } from "../_util/security_options.ts";
import { tells } from "../_util/security_stage.ts";

const STRANGER: PeerOptions = {
  ...ROLES.CURVE.client,
  curvePublicKey: SERVER_KEYS.publicKey,
  curveSecretKey: SERVER_KEYS.secretKey,
};

describe("an Authenticator before libzmq clients", () => {
  let context: Context;
  let peer: Peer;
  let pull: Pull;
  let authenticator: Authenticator;
  beforeEach(() => {
    context = new Context();
    peer = startPeer();
  });
  afterEach(async () => {
    await Promise.all([pull.close(), authenticator.close(), peer.stop()]);
  });

  async function serve(
    policy: ConstructorParameters<typeof Authenticator>[0],
    options: object,
  ): Promise<void> {
    authenticator = new Authenticator({ ...policy, context });
    pull = new Pull({
      context,
      linger: 0,
      receiveTimeout: 15_000,
      attachMetadata: true,
      ...options,
    });
    await pull.bind(ANY_PORT);
  }

  async function join(options: PeerOptions): Promise<PeerSocket> {
    const push = await peer.open("Push", { reconnectInterval: 20, ...options });
    await push.connect(pull.lastEndpoint!);
    return push;
  }

  it("lets in the CURVE keys that it knows", async () => {
    await serve({ curve: [CLIENT_KEYS.publicKey] }, ROLES.CURVE.server);
    const stranger = await join(STRANGER);
    await tells(stranger, "handshake:error:auth 400");
    const friend = await join(ROLES.CURVE.client);
    await friend.send("hello");
    assertFrames(await pull.receive(), ["hello"]);
    const { accepted, denied, failed } = authenticator.stats();
    assertEquals([accepted, failed], [1, 0]);
    assertGreater(denied, 0);
  });

  it("lets in the names and passwords that it knows", async () => {
    await serve({ plain: { admin: "secret", joe: "s3cret" } }, { plainServer: true });
    const wrong = await join({ plainUsername: "joe", plainPassword: "secret" });
    // libzmq's PLAIN client knows ERROR only as its own server misspells it.
    await tells(wrong, "handshake:error:protocol ERR_ZMTP_UNEXPECTED_COMMAND");
    const joe = await join({ plainUsername: "joe", plainPassword: "s3cret" });
    await joe.send("hello");
    const message = await pull.receive();
    assertFrames(message, ["hello"]);
    assertEquals(metadataOf(message)!.userId, "joe");
  });

  it("asks a callback, which may take its time and name the user", async () => {
    const asked: string[] = [];
    await serve(
      {
        curve: async (publicKey) => {
          asked.push(publicKey);
          await new Promise((resolve) => setTimeout(resolve, 50));
          return publicKey === CLIENT_KEYS.publicKey &&
            { userId: "jane", metadata: { "X-Role": "admin" } };
        },
      },
      ROLES.CURVE.server,
    );
    const push = await join(ROLES.CURVE.client);
    await push.send("hello");
    const known = metadataOf(await pull.receive())!;
    assertEquals([known.userId, known.get("X-Role")], ["jane", "admin"]);
    assertEquals(asked, [CLIENT_KEYS.publicKey]);
    await tells(await join(STRANGER), "handshake:error:auth 400");
  });

  it("tells of its own failure with 500", async () => {
    await serve(
      {
        curve: () => {
          throw new Error("the database is away");
        },
      },
      ROLES.CURVE.server,
    );
    const push = await join(ROLES.CURVE.client);
    await tells(push, "handshake:error:auth 500");
    const { accepted, denied, failed } = authenticator.stats();
    assertEquals([accepted, denied], [0, 0]);
    assertGreater(failed, 0);
  });

  it("goes by addresses, also without a mechanism", async () => {
    await serve({ deny: "127.0.0.0/8" }, { zapDomain: "test" });
    await tells(await join({}), "handshake:error:auth 400");
    authenticator.configure({ allow: ["127.0.0.1"] });
    const push = await join({});
    await push.send("hello");
    assertFrames(await pull.receive(), ["hello"]);
  });

  it("is reloaded for those who come later, while the others stay", async () => {
    await serve({ curve: [CLIENT_KEYS.publicKey] }, ROLES.CURVE.server);
    const first = await join(ROLES.CURVE.client);
    await first.send("one");
    assertFrames(await pull.receive(), ["one"]);
    authenticator.configure({ curve: [SERVER_KEYS.publicKey] });
    await tells(await join(ROLES.CURVE.client), "handshake:error:auth 400");
    const second = await join(STRANGER);
    await second.send("two");
    assertFrames(await pull.receive(), ["two"]);
    await first.send("three");
    assertFrames(await pull.receive(), ["three"]);
  });
});
