// Where ipc sockets live: paths, wildcards, relative and abstract names, and the files that are left behind; libzmq at one
// end, in either role.

import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { after, afterEach, before, beforeEach, describe, it } from "@std/testing/bdd";
import { Pull, Push } from "../../mod.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { RECEIVES, SENDS } from "../_util/pairing.ts";
import { type Peer, type PeerSocket, startPeer } from "../_util/peer.ts";
import { start } from "../_util/process.ts";
import { rejection } from "../_util/rejection.ts";
import { SocketFolder } from "../_util/socket_folder.ts";
import { receiveSequence, sendSequence } from "../_util/traffic.ts";

const { process } = globalThis as unknown as {
  process: {
    readonly pid: number;
    getBuiltinModule(name: "node:fs"): {
      existsSync(path: string): boolean;
      writeFileSync(path: string, text: string): void;
      readFileSync(path: string, encoding: "utf8"): string;
    };
  };
};
const fs = process.getBuiltinModule("node:fs");
/** The longest path that a socket can have. */
const LONGEST = 107;

/** The path of an endpoint. */
function pathOf(endpoint: string): string {
  return endpoint.slice("ipc://".length);
}

describe("ipc with libzmq", () => {
  const cleanup = new Cleanup();
  const theirs: PeerSocket[] = [];
  let peer: Peer;
  let folder: SocketFolder;
  const openTheirs = async (...args: Parameters<Peer["open"]>): Promise<PeerSocket> => {
    const socket = await peer.open(...args);
    theirs.push(socket);
    return socket;
  };
  const bound = async (endpoint: string): Promise<Pull> => {
    const pull = cleanup.add(new Pull(RECEIVES));
    await pull.bind(endpoint);
    return pull;
  };
  before(() => {
    peer = startPeer();
  });
  after(() => peer.stop());
  beforeEach(() => {
    folder = new SocketFolder();
  });
  afterEach(async () => {
    await cleanup.run();
    await Promise.all(theirs.splice(0).map((socket) => socket.close()));
    folder.remove();
  });

  /** They connect to where we are bound, and send. */
  async function fromThem(pull: Pull, endpoint = pull.lastEndpoint!): Promise<void> {
    const push = await openTheirs("Push");
    await push.connect(endpoint);
    await push.sendSequence(0, 10);
    assertEquals(await receiveSequence(pull, 10), [[0, 9]]);
  }

  /** We connect to where they are bound, and send. */
  async function toThem(pull: PeerSocket, endpoint: string): Promise<void> {
    const push = cleanup.add(new Push(SENDS));
    push.connect(endpoint);
    await sendSequence(push, 0, 10);
    assertEquals(await pull.receiveSequence(10), [[0, 9]]);
  }

  const longName = (folder: SocketFolder): string =>
    "n".repeat(LONGEST - pathOf(folder.endpoint("")).length);
  const names: Readonly<Record<string, (folder: SocketFolder) => string>> = {
    "an absolute path": (folder) => folder.endpoint("socket"),
    "a relative path": (folder) => folder.relative("socket"),
    "a path of 107 octets": (folder) => folder.endpoint(longName(folder)),
    "a path with a space, a colon and a percent sign": (folder) => folder.endpoint("a b:1%20c"),
    "a path beyond ASCII": (folder) => folder.endpoint("Grüße-世界"),
    "a path with an @ inside": (folder) => folder.endpoint("@socket"),
    "an abstract name": () => `ipc://@wasmq-interop-${process.pid}`,
    "an abstract name of 106 octets": () => `ipc://@${String(process.pid).padEnd(106, "n")}`,
    "an abstract name with a slash": () => `ipc://@wasmq/${process.pid}/name`,
  };
  for (const [what, nameOf] of Object.entries(names)) {
    it(`has ${what}, we bind`, async () => {
      const endpoint = nameOf(folder);
      const pull = await bound(endpoint);
      assertEquals(pull.lastEndpoint, endpoint);
      await fromThem(pull, endpoint);
    });

    it(`has ${what}, they bind`, async () => {
      const endpoint = nameOf(folder);
      const pull = await openTheirs("Pull");
      assertEquals(await pull.bind(endpoint), endpoint);
      await toThem(pull, endpoint);
    });
  }

  it("has no file for an abstract name, and gives it free at once", async () => {
    for (let i = 0; i < 3; i++) {
      // libzmq gives a name up some time after close, in a thread of its own: another one each time.
      const endpoint = `ipc://@wasmq-interop-${process.pid}-again-${i}`;
      const pull = await bound(endpoint);
      await fromThem(pull);
      await pull.close();
      const other = await openTheirs("Pull");
      await other.bind(endpoint);
      await rejection(new Pull().bind(endpoint), "EADDRINUSE");
      await toThem(other, endpoint);
      await other.close();
      theirs.splice(theirs.indexOf(other), 1);
    }
    assertEquals(folder.files, []);
  });

  it("has paths of its own for wildcards, each another, and none afterwards", async () => {
    const pulls = [await bound("ipc://*"), await bound("ipc://*")];
    const paths = pulls.map(({ lastEndpoint }) => pathOf(lastEndpoint!));
    assertNotEquals(paths[0], paths[1]);
    for (const [i, pull] of pulls.entries()) {
      assertMatch(paths[i], /^\//);
      assert(fs.existsSync(paths[i]));
      await fromThem(pull);
    }
    await Promise.all(pulls.map((pull) => pull.close()));
    for (const path of paths) {
      assert(!fs.existsSync(path));
      assert(!fs.existsSync(path.slice(0, path.lastIndexOf("/"))), "its folder is there still");
    }
  });

  it("connects to the paths of libzmq's wildcards", async () => {
    for (let i = 0; i < 2; i++) {
      const pull = await openTheirs("Pull");
      await toThem(pull, await pull.bind("ipc://*"));
    }
  });

  it("may bind one socket to a path, an abstract name and a port", async () => {
    const pull = await bound(folder.endpoint("socket"));
    await pull.bind(`ipc://@wasmq-interop-${process.pid}-one-of-three`);
    await pull.bind("tcp://127.0.0.1:*");
    const push = await openTheirs("Push");
    await push.connect(folder.endpoint("socket"));
    await push.connect(`ipc://@wasmq-interop-${process.pid}-one-of-three`);
    await push.connect(pull.lastEndpoint!);
    await push.sendSequence(0, 300);
    const seen = new Set<number>();
    for (let i = 0; i < 300; i++) seen.add(Number(String((await pull.receive())[0])));
    assertEquals(seen.size, 300);
  });

  describe("where there is something already", () => {
    it("takes the place of the file that a killed libzmq left", async () => {
      const mortal = startPeer();
      const endpoint = folder.endpoint("socket");
      await (await mortal.open("Pull")).bind(endpoint);
      await mortal.kill();
      assertEquals(folder.files, ["socket"]);
      await fromThem(await bound(endpoint));
    });

    it("leaves a file that libzmq can take the place of when it is killed", async () => {
      const endpoint = folder.endpoint("socket");
      const program = start("beating_peer.ts", "pull", "bind", endpoint);
      await program.prints("at ");
      await program.kill();
      assertEquals(folder.files, ["socket"]);
      const pull = await openTheirs("Pull");
      await pull.bind(endpoint);
      await toThem(pull, endpoint);
    });

    it("leaves libzmq its path while it lives (EADDRINUSE)", async () => {
      const endpoint = folder.endpoint("socket");
      const pull = await openTheirs("Pull");
      await pull.bind(endpoint);
      const error = await rejection(bound(endpoint), "EADDRINUSE");
      assertEquals(error.address, endpoint);
      await toThem(pull, endpoint);
    });

    it("leaves a file that is no socket alone (EADDRINUSE)", async () => {
      const endpoint = folder.endpoint("letter");
      fs.writeFileSync(pathOf(endpoint), "dear reader");
      await rejection(bound(endpoint), "EADDRINUSE");
      assertEquals(fs.readFileSync(pathOf(endpoint), "utf8"), "dear reader");
    });

    it("removes its file with unbind() and close(), and libzmq can bind there", async () => {
      // Each has a file of its own: libzmq's unbind is over before its I/O thread has let go of it.
      for (const how of ["unbind", "close"] as const) {
        const endpoint = folder.endpoint(how);
        const pull = await bound(endpoint);
        assert(folder.files.includes(how));
        if (how === "unbind") await pull.unbind(endpoint);
        else await pull.close();
        assert(!folder.files.includes(how));
        const other = await openTheirs("Pull");
        await other.bind(endpoint);
        await toThem(other, endpoint);
        await other.unbind(endpoint);
      }
    });
  });
});
