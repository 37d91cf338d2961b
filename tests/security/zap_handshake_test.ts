// A handshake that waits for the ZAP handler, without connections: how much it keeps meanwhile, when it stops reading and
// reads on, and in which order it hands out what it kept.

import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Handshake } from "../../src/link/handshake.ts";
import { NullMechanism } from "../../src/security/null.ts";
import { PlainServer } from "../../src/security/plain.ts";
import { Door } from "../../src/security/zap.ts";
import { Session } from "../../src/session/session.ts";
import { utf8 } from "../_util/bytes.ts";
import { FakeStream } from "../_util/fake_stream.ts";
import { assertOctets, concat, pattern } from "../_util/octets.ts";
import { command, greeting, ready } from "../_util/raw_zmtp.ts";

/** More than may be kept of a peer that nobody knows, and less than it costs to find out that it has gone. */
const TOO_MUCH = 64 * 1024;
const LITTLE = 1024;

const MECHANISMS = {
  NULL: {
    make: (door: Door) => new NullMechanism([["Socket-Type", utf8("PULL")]], door),
    asks: greeting(),
    goesOn: ready("PUSH"),
  },
  PLAIN: {
    make: (door: Door) => new PlainServer([["Socket-Type", utf8("PULL")]], door),
    asks: concat(greeting("PLAIN"), command("HELLO", Uint8Array.of(1, 0x61, 1, 0x62))),
    goesOn: command("INITIATE", ready("PUSH").subarray(8)),
  },
} as const;

/** A handshake whose handler answers when the test says so, and all that it reports. */
class Stage {
  readonly stream: FakeStream = new FakeStream();
  readonly handshake: Handshake;
  readonly errors: unknown[] = [];
  agreed = 0;
  wentOn = 0;
  cancelled = 0;
  #traffic: Uint8Array[] = [];
  readonly #session: Session;
  #request: Uint8Array[] = [];
  readonly #reply: PromiseWithResolvers<readonly Uint8Array[]> = Promise.withResolvers();

  constructor(mechanism: keyof typeof MECHANISMS) {
    const door = new Door({ domain: "test", enforced: false }, "", (request) => {
      this.#request = request;
      return { reply: this.#reply.promise, cancel: () => this.cancelled++ };
    });
    this.#session = new Session("PULL", MECHANISMS[mechanism].make(door));
    this.handshake = new Handshake(this.#session, this.stream, {
      said: () => {},
      agreed: () => this.agreed++,
      traffic: (octets) => this.#traffic.push(octets.slice()),
      wentOn: (error) => {
        this.wentOn++;
        if (error !== undefined) this.errors.push(error);
      },
    });
  }

  /** Everything that was handed on. */
  get traffic(): Uint8Array {
    return concat(...this.#traffic);
  }

  /** Gives octets as a stream does, until it is paused; how many it took. */
  receive(octets: Uint8Array): number {
    let taken = 0;
    while (taken < octets.length && !this.stream.paused) {
      const target = this.handshake.target();
      const piece = octets.subarray(taken, taken + target.length);
      target.set(piece);
      this.handshake.filled(piece.length);
      taken += piece.length;
    }
    return taken;
  }

  /** The handler answers; goes on when that has been dealt with. */
  async answer(status: string): Promise<void> {
    const texts = ["", "1.0", "", status, "", "", ""].map(utf8);
    texts[2] = this.#request[2];
    const before = this.wentOn;
    this.#reply.resolve(texts);
    for (let i = 0; i < 20 && this.wentOn === before; i++) await Promise.resolve();
    assertEquals(this.wentOn, before + 1);
  }

  end(): void {
    this.#session.end();
  }
}

for (const [name, { asks, goesOn }] of Object.entries(MECHANISMS)) {
  const mechanism = name as keyof typeof MECHANISMS;

  describe(`a handshake of ${mechanism} that waits for its handler`, () => {
    it("reads on, to notice when the peer goes", () => {
      const stage = new Stage(mechanism);
      stage.receive(asks);
      assertEquals(stage.receive(new Uint8Array(LITTLE)), LITTLE);
      assertEquals([stage.stream.paused, stage.agreed, stage.traffic.length], [false, 0, 0]);
    });

    it("ZAP-X-05: reads no more than it may keep", () => {
      const stage = new Stage(mechanism);
      stage.receive(asks);
      const taken = stage.receive(new Uint8Array(TOO_MUCH));
      assert(taken < TOO_MUCH, `${taken} octets`);
      assert(stage.stream.paused);
    });

    it("hands on what it kept, in order, and reads on", async () => {
      const stage = new Stage(mechanism);
      const octets = pattern(TOO_MUCH);
      stage.receive(concat(asks, goesOn));
      const taken = stage.receive(octets);
      assertEquals([stage.agreed, stage.traffic.length], [0, 0]);
      await stage.answer("200");
      assertEquals([stage.agreed, stage.errors, stage.stream.paused], [1, [], false]);
      assertOctets(stage.traffic, octets.subarray(0, taken));
      stage.receive(octets.subarray(taken));
      assertOctets(stage.traffic, octets);
    });

    it("hands on what came in one piece with it", async () => {
      const stage = new Stage(mechanism);
      stage.receive(concat(asks, goesOn, pattern(100)));
      assertEquals(stage.traffic.length, 0);
      await stage.answer("200");
      assertOctets(stage.traffic, pattern(100));
      assertEquals(stage.stream.calls.filter((call) => call === "resume"), []);
    });

    for (const status of ["300", "400", "500", "210"]) {
      it(`hands on nothing of what it kept, once that is answered ${status}`, async () => {
        const stage = new Stage(mechanism);
        stage.receive(concat(asks, goesOn));
        stage.receive(pattern(TOO_MUCH));
        await stage.answer(status);
        assertEquals([stage.agreed, stage.traffic.length, stage.errors.length], [0, 0, 1]);
        assert(stage.stream.paused, "nobody wants to read of it any more");
      });
    }

    it("cancels its question when the connection ends", () => {
      const stage = new Stage(mechanism);
      stage.receive(asks);
      assertEquals(stage.cancelled, 0);
      stage.end();
      assertEquals(stage.cancelled, 1);
    });
  });
}
