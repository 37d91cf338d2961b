// The ipc transport: paths and abstract names, and the files that it makes, replaces, leaves alone and removes.

import { assert, assertEquals, assertInstanceOf, assertMatch, assertNotEquals } from "@std/assert";
import { afterEach, beforeEach, describe, it } from "@std/testing/bdd";
import { Context, EndpointError, Pair, Pull, Push, Reply, Request } from "../../mod.ts";
import { assertFrames } from "../_util/bytes.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { eventually } from "../_util/deadline.ts";
import { EventLog } from "../_util/event_log.ts";
import { files, folderOf, hasAbstractNames, localSockets, pathOf } from "../_util/files.ts";
import { assertOctets, pattern } from "../_util/octets.ts";
import { start } from "../_util/process.ts";
import { RawServer } from "../_util/raw_peer.ts";
import { assertSays, type Failure, failure, rejection } from "../_util/rejection.ts";
import { SocketFolder } from "../_util/socket_folder.ts";
import { isRoot } from "../_util/system.ts";

const RECEIVES = { receiveTimeout: 5_000 } as const;
const QUICK = { reconnectInterval: 5, sendTimeout: 5_000 } as const;
/** The longest path that an address of a local socket holds, in octets. */
const PATH_LIMIT = 107;
const cleanup = new Cleanup();
let folder: SocketFolder;
let names = 0;

function openFolder(): void {
  folder = new SocketFolder();
}

async function clean(): Promise<void> {
  await cleanup.run();
  folder.remove();
}

async function bound(endpoint: string, context?: Context): Promise<Pull> {
  const pull = cleanup.add(new Pull({ ...RECEIVES, ...context && { context } }));
  await pull.bind(endpoint);
  return pull;
}

/** One message gets there. */
async function talk(endpoint: string, pull: Pull): Promise<void> {
  const push = cleanup.add(new Push(QUICK));
  push.connect(endpoint);
  await push.send(`to ${endpoint}`);
  assertFrames(await pull.receive(), [`to ${endpoint}`]);
}

async function bindError(endpoint: string, code: string): Promise<Failure> {
  const error = await rejection(cleanup.add(new Pull()).bind(endpoint), code);
  assertInstanceOf(error, EndpointError);
  assertEquals(error.address, endpoint);
  return error;
}

/** A name that no other test has. */
function abstractName(): string {
  return `ipc://@wasmq-test-${Math.random().toString(36).slice(2)}-${names++}`;
}

describe("an ipc endpoint", () => {
  beforeEach(openFolder);
  afterEach(clean);

  it("is an absolute path, at which a socket appears", async () => {
    const endpoint = folder.endpoint("socket");
    const pull = await bound(endpoint);
    assertEquals(pull.lastEndpoint, endpoint);
    assert(files.lstatSync(pathOf(endpoint)).isSocket());
    await talk(endpoint, pull);
  });

  it("is a path relative to the process's folder", async () => {
    const pull = await bound(folder.relative("socket"));
    assertEquals([pull.lastEndpoint, folder.files], [folder.relative("socket"), ["socket"]]);
    await talk(folder.relative("socket"), pull);
    await talk(folder.endpoint("socket"), pull);
  });

  it("may have spaces, colons and other letters in its path", async () => {
    const endpoint = folder.endpoint("a b:5555;ü*?#%20");
    await talk(endpoint, await bound(endpoint));
    assertEquals(folder.files, ["a b:5555;ü*?#%20"]);
  });

  it("serves what connected before it was bound", async () => {
    const endpoint = folder.endpoint("later");
    const push = cleanup.add(new Push(QUICK));
    push.connect(endpoint);
    for (let i = 0; i < 100; i++) await push.send(String(i));
    const pull = await bound(endpoint);
    for (let i = 0; i < 100; i++) assertFrames(await pull.receive(), [String(i)]);
  });

  for (const length of [PATH_LIMIT - 1, PATH_LIMIT]) {
    it(`may have a path of ${length} octets`, async () => {
      const endpoint = folder.endpoint("x".repeat(length - folder.path.length - 1));
      assertEquals(pathOf(endpoint).length, length);
      await talk(endpoint, await bound(endpoint));
    });
  }

  const long: Readonly<Record<string, number>> = {
    [`/${"x".repeat(PATH_LIMIT)}`]: PATH_LIMIT + 1,
    [`/${"ü".repeat(54)}`]: 109,
    [`@${"x".repeat(PATH_LIMIT)}`]: PATH_LIMIT + 1,
    ["x".repeat(5_000)]: 5_000,
  };
  for (const [path, octets] of Object.entries(long)) {
    it(`of ${octets} octets that begin with ${path.slice(0, 2)} is ENAMETOOLONG`, async () => {
      const endpoint = `ipc://${path}`;
      const errors = [
        await bindError(endpoint, "ENAMETOOLONG"),
        failure(() => cleanup.add(new Push()).connect(endpoint), "ENAMETOOLONG"),
      ];
      for (const error of errors) {
        assertInstanceOf(error, EndpointError);
        assertSays(error, String(octets), String(PATH_LIMIT));
      }
    });
  }

  it("is no wildcard for connect, and no name without a character", async () => {
    failure(() => cleanup.add(new Push()).connect("ipc://*"), "EINVAL");
    failure(() => cleanup.add(new Push()).connect("ipc://@"), "EINVAL");
    failure(() => cleanup.add(new Push()).connect("ipc://"), "EINVAL");
    await bindError("ipc://@", "EINVAL");
    await bindError("ipc://", "EINVAL");
  });

  it("in a folder that is not there is ENOENT, in a file ENOTDIR", async () => {
    assertSays(await bindError(folder.endpoint("none/socket"), "ENOENT"), "no such folder");
    files.writeFileSync(`${folder.path}/file`, "");
    await bindError(folder.endpoint("file/socket"), "ENOTDIR");
  });

  it("in a folder that may not be written to is EACCES", { ignore: isRoot() }, async () => {
    files.chmodSync(folder.path, 0o500);
    await bindError(folder.endpoint("socket"), "EACCES");
    files.chmodSync(folder.path, 0o700);
  });
});

describe("an ipc wildcard", () => {
  beforeEach(openFolder);
  afterEach(clean);

  it("is a fresh path, which lastEndpoint tells", async () => {
    const [one, two] = [await bound("ipc://*"), await bound("ipc://*")];
    for (const pull of [one, two]) {
      assertMatch(pull.lastEndpoint!, /^ipc:\/\/\/.+/);
      assert(files.lstatSync(pathOf(pull.lastEndpoint)).isSocket());
      await talk(pull.lastEndpoint!, pull);
    }
    assertNotEquals(one.lastEndpoint, two.lastEndpoint);
  });

  it("is in a folder of its own, for this user alone", async () => {
    const place = folderOf(pathOf((await bound("ipc://*")).lastEndpoint));
    assertEquals(files.lstatSync(place).mode & 0o777, 0o700);
  });

  for (const how of ["close", "unbind"] as const) {
    it(`is gone after ${how}, folder and all`, async () => {
      const pull = await bound("ipc://*");
      const endpoint = pull.lastEndpoint!;
      await talk(endpoint, pull);
      if (how === "close") await pull.close();
      else await pull.unbind(endpoint);
      assert(!files.existsSync(pathOf(endpoint)));
      assert(!files.existsSync(folderOf(pathOf(endpoint))));
    });
  }
});

describe("the file of an ipc endpoint", () => {
  beforeEach(openFolder);
  afterEach(clean);

  it("is removed by close", async () => {
    const pull = await bound(folder.endpoint("socket"));
    await talk(pull.lastEndpoint!, pull);
    await pull.close();
    assertEquals(folder.files, []);
  });

  it("is removed by unbind, and may be bound again at once", async () => {
    const endpoint = folder.endpoint("socket");
    const pull = await bound(endpoint);
    for (let i = 0; i < 5; i++) {
      await talk(endpoint, pull);
      await pull.unbind(endpoint);
      assertEquals(folder.files, []);
      await pull.bind(endpoint);
    }
    await talk(endpoint, pull);
  });

  it("that is live is EADDRINUSE, and is not stolen", async () => {
    const endpoint = folder.endpoint("socket");
    const first = await bound(endpoint);
    const push = cleanup.add(new Push(QUICK));
    push.connect(endpoint);
    for (const context of [undefined, new Context()]) {
      const second = cleanup.add(new Pull(context && { context }));
      assertSays(await rejection(second.bind(endpoint), "EADDRINUSE"), endpoint);
      await second.close();
    }
    await rejection(first.bind(endpoint), "EADDRINUSE");
    await push.send("still");
    assertFrames(await first.receive(), ["still"]);
    await talk(endpoint, first);
  });

  it("that belongs to a program without ZeroMQ is not stolen either", async () => {
    const server = cleanup.add(await RawServer.listen(folder.endpoint("socket")));
    await bindError(server.endpoint, "EADDRINUSE");
    const push = cleanup.add(new Push(QUICK));
    push.connect(server.endpoint);
    await server.accept();
    // One connection looked whether somebody is there.
    assert(server.count <= 2, `${server.count} connections`);
  });

  it("that its owner left behind is replaced", async () => {
    const owner = cleanup.add(start("exit_cases.ts", "with a receive pending", "ipc", folder.path));
    await owner.prints("done");
    const endpoint = /at (\S+)/.exec(owner.output)![1];
    const push = cleanup.add(new Push(QUICK));
    push.connect(endpoint);
    await eventually(() => push.writable);
    await owner.kill();
    assertEquals(folder.files.length, 1);
    const pull = await bound(endpoint);
    await push.send("to the new one");
    assertFrames(await pull.receive(), ["to the new one"]);
    await pull.close();
    assertEquals(folder.files, []);
  });

  it("that is no socket is EADDRINUSE and stays as it is", async () => {
    files.writeFileSync(`${folder.path}/file`, "precious");
    files.mkdirSync(`${folder.path}/folder`);
    for (const name of ["file", "folder"]) await bindError(folder.endpoint(name), "EADDRINUSE");
    assertEquals(folder.files, ["file", "folder"]);
    assertEquals(files.readFileSync(`${folder.path}/file`, "utf8"), "precious");
  });

  it("that is gone already is no trouble to close", async () => {
    const pull = await bound(folder.endpoint("socket"));
    files.unlinkSync(`${folder.path}/socket`);
    await pull.close();
    const again = await bound(folder.endpoint("socket"));
    await talk(again.lastEndpoint!, again);
  });

  it("is not left behind by a bind that is refused", async () => {
    const taken = await bound("ipc://*");
    const before = folder.files;
    await bindError(taken.lastEndpoint!, "EADDRINUSE");
    await bindError(folder.endpoint("none/socket"), "ENOENT");
    assertEquals(folder.files, before);
  });
});

describe("an abstract ipc name", { ignore: !hasAbstractNames }, () => {
  afterEach(() => cleanup.run());

  it("makes no file, and is reached by its name", async () => {
    const endpoint = abstractName();
    const pull = await bound(endpoint);
    assertEquals(pull.lastEndpoint, endpoint);
    assert(!files.existsSync(pathOf(endpoint)));
    await talk(endpoint, pull);
  });

  it("is as long as it is given, as libzmq has it", async () => {
    const endpoint = abstractName();
    await bound(endpoint);
    assert(localSockets().includes(pathOf(endpoint)), pathOf(endpoint));
    // A name that goes on is another one.
    await bound(`${endpoint}x`);
  });

  it("is EADDRINUSE while it is bound, and free after close", async () => {
    const endpoint = abstractName();
    const first = await bound(endpoint);
    await bindError(endpoint, "EADDRINUSE");
    await talk(endpoint, first);
    await first.close();
    await talk(endpoint, await bound(endpoint));
  });
});

describe("over ipc", () => {
  beforeEach(openFolder);
  afterEach(clean);

  it("fifty peers are served", async () => {
    const reply = cleanup.add(new Reply(RECEIVES));
    await reply.bind(folder.endpoint("socket"));
    void (async () => {
      for await (const frames of reply) await reply.send(frames);
    })();
    await Promise.all(Array.from({ length: 50 }, async (_, peer) => {
      const request = cleanup.add(new Request(RECEIVES));
      request.connect(reply.lastEndpoint!);
      for (let i = 0; i < 5; i++) {
        await request.send(`${peer}/${i}`);
        assertFrames(await request.receive(), [`${peer}/${i}`]);
      }
    }));
  });

  it("messages of any size arrive as they were, both ways", async () => {
    const [one, two] = [1, 2].map(() => cleanup.add(new Pair(RECEIVES)));
    await one.bind(folder.endpoint("socket"));
    two.connect(one.lastEndpoint!);
    for (const size of [0, 1, 255, 256, 8_192, 65_536, 1_000_000, 20_000_000]) {
      const body = pattern(size);
      await Promise.all([one.send(["one", body]), two.send(["two", body])]);
      for (const [receiver, name] of [[one, "two"], [two, "one"]] as const) {
        const [head, rest] = await receiver.receive();
        assertEquals(String(head), name);
        assertOctets(rest, body);
      }
    }
  });

  it("a peer reconnects when the binder comes back, and brings what it was given meanwhile", async () => {
    const endpoint = folder.endpoint("socket");
    const push = cleanup.add(new Push({ ...QUICK, sendHighWaterMark: 10 }));
    push.connect(endpoint);
    const log = new EventLog(push);
    for (let round = 1; round <= 5; round++) {
      for (let i = 0; i < 10; i++) await push.send(`${round}/${i}`);
      const pull = await bound(endpoint);
      for (let i = 0; i < 10; i++) assertFrames(await pull.receive(), [`${round}/${i}`]);
      await pull.close();
      await log.nth("disconnect", round);
    }
  });

  it("a socket may be bound and connected at several paths, and at other transports too", async () => {
    const pull = await bound(folder.endpoint("one"));
    await pull.bind(folder.endpoint("two"));
    await pull.bind("tcp://127.0.0.1:*");
    const tcp = pull.lastEndpoint!;
    const push = cleanup.add(new Push(QUICK));
    for (const endpoint of [folder.endpoint("one"), folder.endpoint("two"), tcp]) {
      push.connect(endpoint);
    }
    for (let i = 0; i < 30; i++) await push.send(String(i));
    const numbers: number[] = [];
    while (numbers.length < 30) numbers.push(Number(String((await pull.receive())[0])));
    assertEquals(numbers.sort((a, b) => a - b), Array.from({ length: 30 }, (_, i) => i));
    await pull.unbind(folder.endpoint("one"));
    assertEquals(folder.files, ["two"]);
  });

  it("unbind and disconnect want the endpoint as it was given", async () => {
    const pull = await bound(folder.endpoint("socket"));
    const error = await rejection(pull.unbind(folder.relative("socket")), "ENOENT");
    assertSays(error, folder.endpoint("socket"));
    const push = cleanup.add(new Push(QUICK));
    push.connect(folder.endpoint("socket"));
    failure(() => push.disconnect(folder.relative("socket")), "ENOENT");
    push.disconnect(folder.endpoint("socket"));
    await pull.unbind(folder.endpoint("socket"));
  });
});
