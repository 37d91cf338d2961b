// The questions that every pair of socket types is asked against libzmq: all sizes and part
// counts, ten thousand messages, both orders of starting, a peer that is killed and restarted;
// each with us binding and connecting. Those that the transport can have a part in are asked over
// ipc as well.

import { after, afterEach, before, beforeEach, describe, it } from "@std/testing/bdd";
import { pause } from "./deadline.ts";
import { type MessageSpec, type Peer, type PeerSocket, startPeer } from "./peer.ts";
import type { PeerOptions, PeerSocketType } from "./peer.ts";
import { SocketFolder } from "./socket_folder.ts";
import { type Closable, GRID, MANY, Opened, type Receiver, type Sender } from "./traffic.ts";

/** What the tests need of our socket besides its traffic. */
export interface Joinable extends Closable {
  readonly lastEndpoint: string | null;
  bind(endpoint: string): Promise<void>;
  connect(endpoint: string): void;
}

/** A pair of socket types and how messages go between them. */
export interface Pairing<S extends Joinable> {
  /** Opens our socket. */
  readonly ours: () => S;
  /** The type that libzmq opens. */
  readonly theirs: PeerSocketType;
  readonly theirOptions?: PeerOptions;
  /** Moves the messages of `spec`, one way or both, and checks them at their end. */
  readonly traffic: (ours: S, theirs: PeerSocket, spec: MessageSpec) => Promise<unknown>;
}

/** A socket that sends and receives. */
export type Duplex = Joinable & Sender & Receiver;

const ANY_PORT = "tcp://127.0.0.1:*";
/** Long enough for a first attempt to connect that fails. */
const EARLY_MS = 50;
/** Time for the system to tell us that a killed process's connection is gone. */
const NOTICE_MS = 100;
const ANY_FILE = "ipc://*";
/** Every size in messages of one to three parts. */
const SMALL_GRID: MessageSpec = { ...GRID, count: GRID.sizes.length * 3, parts: [1, 3] };
const SOME: MessageSpec = { ...MANY, count: 2_000 };
const FEW: MessageSpec = { ...GRID, count: 25, sizes: [0, 1, 255, 256, 9000] };

/** A blocked send fails after a while. */
export const SENDS = { sendTimeout: 30_000 } as const;

/** A receive that gets nothing fails after a while. */
export const RECEIVES = { receiveTimeout: 30_000 } as const;

/** Options of sockets that do both. */
export const SENDS_AND_RECEIVES: { readonly sendTimeout: 30_000; readonly receiveTimeout: 30_000 } =
  { ...SENDS, ...RECEIVES };

/** Asks the questions of one pairing. */
export function testPairing<S extends Joinable>(name: string, pairing: Pairing<S>): void {
  const { traffic } = pairing;
  describe(name, () => {
    const opened = new Opened();
    let peer: Peer;
    const theirs: PeerSocket[] = [];
    const openTheirs = async (): Promise<PeerSocket> => {
      const socket = await peer.open(pairing.theirs, pairing.theirOptions);
      theirs.push(socket);
      return socket;
    };
    const open = async (): Promise<[S, PeerSocket]> => [
      opened.add(pairing.ours()),
      await openTheirs(),
    ];
    before(() => {
      peer = startPeer();
    });
    after(() => peer.stop());
    afterEach(async () => {
      await opened.close();
      await Promise.all(theirs.splice(0).map((socket) => socket.close()));
    });

    // Who binds makes no difference for messages: so many are costly, and one way is enough.
    for (
      const [contents, spec] of [["every size and part count", GRID], ["10 000", MANY]] as const
    ) {
      it(`moves ${contents}, we bind`, async () => {
        const [ours, theirs] = await open();
        await ours.bind(ANY_PORT);
        await theirs.connect(ours.lastEndpoint!);
        await traffic(ours, theirs, spec);
      });
    }

    for (
      const [contents, spec] of [["every size and part count", GRID], ["2 000", SOME]] as const
    ) {
      it(`moves ${contents}, we connect`, async () => {
        const [ours, theirs] = await open();
        ours.connect(await theirs.bind());
        await traffic(ours, theirs, spec);
      });
    }

    it("starts when they connect and everybody sends before we bind", async () => {
      const [ours, theirs] = await open();
      const endpoint = await reservePort(pairing.ours());
      await theirs.connect(endpoint);
      const moving = traffic(ours, theirs, FEW);
      await Promise.all([moving, pause(EARLY_MS).then(() => ours.bind(endpoint))]);
    });

    it("starts when we connect and everybody sends before they bind", async () => {
      const [ours, theirs] = await open();
      const endpoint = await reservePort(pairing.ours());
      ours.connect(endpoint);
      const moving = traffic(ours, theirs, FEW);
      await Promise.all([moving, pause(EARLY_MS).then(() => theirs.bind(endpoint))]);
    });

    it("goes on with the successor of a killed peer, we bind", async () => {
      const ours = opened.add(pairing.ours());
      await ours.bind(ANY_PORT);
      for (let generation = 0; generation < 2; generation++) {
        await withMortal(async (mortal) => {
          await mortal.connect(ours.lastEndpoint!);
          await traffic(ours, mortal, FEW);
        });
      }
    });

    it("goes on with the successor of a killed peer, we connect", async () => {
      const ours = opened.add(pairing.ours());
      let endpoint: string | undefined;
      for (let generation = 0; generation < 2; generation++) {
        await withMortal(async (mortal) => {
          if (endpoint) await mortal.bind(endpoint);
          else ours.connect(endpoint = await mortal.bind());
          await traffic(ours, mortal, FEW);
        });
      }
    });

    describe("over ipc", () => {
      let folder: SocketFolder;
      beforeEach(() => {
        folder = new SocketFolder();
      });
      afterEach(() => folder.remove());

      it("moves every size and part count, we bind", async () => {
        const [ours, theirs] = await open();
        await ours.bind(ANY_FILE);
        await theirs.connect(ours.lastEndpoint!);
        await traffic(ours, theirs, SMALL_GRID);
      });

      it("moves every size and part count, we connect", async () => {
        const [ours, theirs] = await open();
        ours.connect(await theirs.bind(ANY_FILE));
        await traffic(ours, theirs, SMALL_GRID);
      });

      it("starts when everybody sends before there is a file, whoever makes it", async () => {
        for (const binds of ["we", "they"] as const) {
          const [ours, theirs] = await open();
          const endpoint = folder.endpoint(binds);
          if (binds === "we") await theirs.connect(endpoint);
          else ours.connect(endpoint);
          const bind = (): Promise<unknown> => (binds === "we" ? ours : theirs).bind(endpoint);
          await Promise.all([traffic(ours, theirs, FEW), pause(EARLY_MS).then(bind)]);
        }
      });

      it("goes on with the successor of a killed peer, whoever binds", async () => {
        const binder = opened.add(pairing.ours());
        const connecter = opened.add(pairing.ours());
        await binder.bind(folder.endpoint("ours"));
        const serve = async (one: PeerSocket, other: PeerSocket): Promise<void> => {
          await one.connect(folder.endpoint("ours"));
          await other.bind(folder.endpoint("theirs"));
          await Promise.all([traffic(binder, one, FEW), traffic(connecter, other, FEW)]);
        };
        const mortal = startPeer();
        const openMortal = (): Promise<PeerSocket> =>
          mortal.open(pairing.theirs, pairing.theirOptions);
        try {
          connecter.connect(folder.endpoint("theirs"));
          await serve(await openMortal(), await openMortal());
        } finally {
          await mortal.kill();
        }
        await pause(NOTICE_MS);
        await serve(await openTheirs(), await openTheirs());
      });
    });

    /** Opens their socket in a process of its own, which is killed in the end. */
    async function withMortal(use: (theirs: PeerSocket) => Promise<void>): Promise<void> {
      const mortal = startPeer();
      try {
        await use(await mortal.open(pairing.theirs, pairing.theirOptions));
      } finally {
        await mortal.kill();
      }
      await pause(NOTICE_MS);
    }
  });
}

/** An endpoint that was free a moment ago. */
export async function reservePort(socket: Joinable): Promise<string> {
  await socket.bind(ANY_PORT);
  const endpoint = socket.lastEndpoint!;
  await socket.close();
  return endpoint;
}
