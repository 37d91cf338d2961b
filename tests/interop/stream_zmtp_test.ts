// STREAM speaking ZMTP by hand, octet by octet, to libzmq's DEALER and to ours (features.md, T110): what a tool does that
// looks at the protocol from outside.

import { assertEquals } from "@std/assert";
import { after, afterEach, before, it } from "@std/testing/bdd";
import { Dealer, Stream } from "../../mod.ts";
import { anywhere, SYSTEM_TRANSPORTS } from "../_util/anywhere.ts";
import { assertFrames, textOf, toHex, utf8 } from "../_util/bytes.ts";
import { concat, pattern } from "../_util/octets.ts";
import { type Peer, type PeerSocket, startPeer } from "../_util/peer.ts";
import { command, frame, greeting, message, ready } from "../_util/raw_zmtp.ts";
import { StreamInbox } from "../_util/stream_inbox.ts";
import { Opened } from "../_util/traffic.ts";
import { describeOver } from "../_util/transports.ts";

const GREETING_SIZE = 64;
const WAIT_MS = 10_000;

/** A DEALER, whosever it is. */
interface DealerEnd {
  bind(endpoint: string): Promise<string>;
  connect(endpoint: string): Promise<void>;
  send(...frames: (string | Uint8Array)[]): Promise<void>;
  receive(): Promise<Uint8Array[]>;
}

/** One connection of a STREAM, with a view to its frames. */
class Wire {
  readonly #stream: Stream;
  readonly #inbox: StreamInbox;
  readonly #id: Uint8Array;

  constructor(stream: Stream, inbox: StreamInbox, id: Uint8Array) {
    this.#stream = stream;
    this.#inbox = inbox;
    this.#id = id;
  }

  send(...pieces: Uint8Array[]): Promise<void> {
    return this.#stream.send([this.#id, concat(...pieces)]);
  }

  take(count: number): Promise<Uint8Array> {
    return this.#inbox.take(this.#id, count);
  }

  /** The body of the next frame, with its flags. */
  async frame(): Promise<[flags: number, body: Uint8Array]> {
    const [flags] = await this.take(1);
    let size = 0;
    for (const octet of await this.take(flags & 2 ? 8 : 1)) size = size * 256 + octet;
    return [flags, await this.take(size)];
  }

  async close(): Promise<void> {
    await this.#stream.send([this.#id, ""]);
  }
}

describeOver(SYSTEM_TRANSPORTS, "STREAM with a DEALER", (transport) => {
  const opened = new Opened();
  let peer: Peer;
  const theirs: PeerSocket[] = [];
  before(() => {
    peer = startPeer();
  });
  after(() => peer.stop());
  afterEach(async () => {
    await opened.close();
    await Promise.all(theirs.splice(0).map((socket) => socket.close()));
  });

  async function openDealer(
    whose: "libzmq's" | "our",
    extra: { handshakeInterval?: number } = {},
  ): Promise<DealerEnd> {
    const options = { routingId: "dealer", reconnectInterval: 20, ...extra };
    if (whose === "libzmq's") {
      const socket = await peer.open("Dealer", options);
      theirs.push(socket);
      return socket;
    }
    const dealer = opened.add(new Dealer({ ...options, receiveTimeout: WAIT_MS }));
    return {
      bind: async (endpoint) => {
        await dealer.bind(endpoint);
        return dealer.lastEndpoint!;
      },
      // deno-lint-ignore require-await -- as libzmq's
      connect: async (endpoint) => dealer.connect(endpoint),
      send: (...frames) => dealer.send(frames),
      receive: () => dealer.receive(),
    };
  }

  /** Joins a STREAM of ours to the DEALER. */
  async function join(
    dealer: DealerEnd,
    role: "binds" | "connects",
  ): Promise<[Stream, StreamInbox, Uint8Array]> {
    const stream = opened.add(
      new Stream({ sendTimeout: WAIT_MS, receiveTimeout: WAIT_MS, reconnectInterval: 20 }),
    );
    const inbox = new StreamInbox(stream);
    if (role === "binds") {
      await stream.bind(anywhere(transport));
      await dealer.connect(stream.lastEndpoint!);
    } else stream.connect(await dealer.bind(anywhere(transport)));
    return [stream, inbox, await inbox.opened()];
  }

  /** Does the handshake as a ROUTER, step by step; the DEALER's READY. */
  async function shakeHands(wire: Wire): Promise<Uint8Array> {
    const octets = greeting();
    await wire.send(octets.subarray(0, 10)); // the signature
    const signature = await wire.take(10);
    assertEquals([signature[0], signature[9]], [0xff, 0x7f]);
    await wire.send(octets.subarray(10, 11)); // the major version
    assertEquals([...await wire.take(1)], [3]);
    await wire.send(octets.subarray(11));
    const rest = await wire.take(GREETING_SIZE - 11);
    assertEquals(textOf(rest.subarray(1, 5)), "NULL");
    await wire.send(ready("ROUTER", "stream"));
    const [flags, body] = await wire.frame();
    assertEquals(flags, 4);
    return body;
  }

  for (const whose of ["libzmq's", "our"] as const) {
    for (const role of ["binds", "connects"] as const) {
      it(`shakes hands with ${whose} DEALER and exchanges messages, the STREAM ${role}`, async () => {
        const dealer = await openDealer(whose);
        const wire = new Wire(...await join(dealer, role));
        const body = await shakeHands(wire);
        const expected = ready("DEALER", "dealer").subarray(2);
        assertEquals(toHex(body), toHex(expected));

        await wire.send(message("hello", "", "stream"));
        assertFrames(await dealer.receive(), ["hello", "", "stream"]);
        await dealer.send("hello", "dealer");
        assertEquals(await wire.frame(), [1, utf8("hello")]);
        assertEquals(await wire.frame(), [0, utf8("dealer")]);

        const long = pattern(100_000);
        await wire.send(frame(long));
        assertFrames(await dealer.receive(), [long]);
        await dealer.send(long);
        const [flags, received] = await wire.frame();
        assertEquals([flags, toHex(received)], [2, toHex(long)]);

        await wire.send(command("PING", concat(Uint8Array.of(0, 0), utf8("context"))));
        assertEquals(await wire.frame(), [4, utf8("\x04PONGcontext")]);
      });
    }

    it(`is left by ${whose} DEALER when it says nothing, and comes again`, async () => {
      const dealer = await openDealer(whose, { handshakeInterval: 100 });
      for (const role of ["binds", "connects"] as const) {
        const [stream, inbox, id] = await join(dealer, role);
        const signature = (await inbox.rest(id)).subarray(0, 10);
        assertEquals([signature[0], signature[9]], [0xff, 0x7f]);
        if (role === "binds") assertEquals((await inbox.opened()).length, 5);
        else await inbox.notice(id);
        await stream.close();
      }
    });

    it(`takes ${whose} DEALER's next connection after it closed the first`, async () => {
      const dealer = await openDealer(whose);
      const [stream, inbox, id] = await join(dealer, "binds");
      const first = new Wire(stream, inbox, id);
      await shakeHands(first);
      await first.close();
      const second = new Wire(stream, inbox, await inbox.opened());
      await shakeHands(second);
      await dealer.send("again");
      assertEquals(await second.frame(), [0, utf8("again")]);
    });
  }
});
