// Whatever zeromq.js's typings declare is here: each property of each class, but for those of security, which come later.

import { assert, assertEquals } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import * as zmq from "../../mod.ts";
import { Cleanup } from "../_util/cleanup.ts";
import { CLASS_NAMES, CLASSES } from "../_util/option_table.ts";
import { blank } from "../_util/source_text.ts";

interface FileSystem {
  readFileSync(path: URL, encoding: "utf8"): string;
}

/** What a class or interface declares: the name, and whether it can be set. */
type Members = ReadonlyMap<string, boolean>;

const { process } = globalThis as unknown as {
  process: { getBuiltinModule(name: "node:fs"): FileSystem };
};
const LATER = /^(plain|curve|gssapi|zap)/;
const cleanup = new Cleanup();

function readTypings(file: string): string {
  const path = new URL(`../../node_modules/zeromq/lib/${file}`, import.meta.url);
  return blank(process.getBuiltinModule("node:fs").readFileSync(path, "utf8"), "comments");
}

/** The members of all declarations with that name. */
function membersOf(source: string, name: string): Members {
  const members = new Map<string, boolean>();
  const head = new RegExp(
    `^( *)(?:export )?(?:declare )?(?:abstract )?(?:class|interface) ${name}\\b`,
  );
  const lines = source.split("\n");
  for (const [at, line] of lines.entries()) {
    const indent = head.exec(line)?.[1];
    if (indent === undefined) continue;
    const end = lines.findIndex((other, i) => i > at && other.startsWith(`${indent}}`));
    for (const member of lines.slice(at + 1, line.trimEnd().endsWith("}") ? at + 1 : end)) {
      const found = /^( +)(readonly |get |set )?(\w+)(\??: |[<(])/.exec(member);
      if (!found || found[1].length !== indent.length + 4 || found[3] === "constructor") continue;
      const settable = found[2] === "set " || (found[2] === undefined && /:/.test(found[4]));
      members.set(found[3], settable || members.get(found[3]) === true);
    }
  }
  return members;
}

function inherits(source: string, name: string, parent: string): boolean {
  return new RegExp(`(class|interface) ${name} extends [^{]*\\b${parent}\\b`).test(source);
}

function accessor(value: object, name: string): PropertyDescriptor | undefined {
  for (let at = value; at !== null; at = Object.getPrototypeOf(at)) {
    const found = Object.getOwnPropertyDescriptor(at, name);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Fails unless the object has all of them, and can be set where they can. */
function expectMembers(value: object, ...declarations: readonly Members[]): void {
  const missing: string[] = [];
  for (const [name, settable] of declarations.flatMap((members) => [...members])) {
    if (LATER.test(name)) continue;
    const found = accessor(value, name);
    if (found === undefined) missing.push(name);
    else if (settable && found.set === undefined && found.writable !== true) {
      missing.push(`a setter of ${name}`);
    }
  }
  assertEquals(missing, []);
}

describe("the typings of zeromq.js", () => {
  afterEach(() => cleanup.run());

  const index = readTypings("index.d.ts");
  const native = readTypings("native.d.ts");
  const socket: Members = new Map([
    ...membersOf(native, "Socket"),
    ...membersOf(index, "Socket"),
  ]);

  it("are understood by this test", () => {
    assert(socket.size > 55, `${socket.size} members of Socket`);
    assertEquals([socket.get("linger"), socket.get("lastEndpoint")], [true, false]);
    assertEquals([...membersOf(index, "Writable").keys()].includes("send"), true);
    assertEquals([...membersOf(index, "Pull").keys()].sort(), ["conflate"]);
    assertEquals(membersOf(index, "XPublisher").get("verbosity"), true);
    assertEquals(membersOf(native, "Observer").has("receive"), true);
  });

  for (const name of CLASS_NAMES) {
    it(`declare nothing of ${name} that is not here`, () => {
      const ours = cleanup.add(new CLASSES[name]());
      const groups = ["Writable", "Readable"].filter((group) => inherits(index, name, group));
      expectMembers(ours, socket, ...[name, ...groups].map((type) => membersOf(index, type)));
    });
  }

  it("declare nothing of Context that is not here", () => {
    expectMembers(new zmq.Context(), membersOf(index, "Context"));
  });

  it("declare nothing of Observer that is not here", () => {
    const { events } = cleanup.add(new zmq.Push());
    expectMembers(events, membersOf(native, "Observer"));
    expectMembers(events, membersOf(index, "EventSubscriber"));
    assert(Symbol.asyncIterator in events);
  });

  it("declare nothing of Proxy that is not here", () => {
    const proxy = new zmq.Proxy(cleanup.add(new zmq.Router()), cleanup.add(new zmq.Dealer()));
    expectMembers(proxy, membersOf(native, "Proxy"));
  });

  it("declare nothing to import that is not here", () => {
    const list = /export \{([^}]*)\} from "\.\/native"/.exec(index)![1].split(",");
    const types = /^(Event|EventOfType|EventType)$/;
    const names = list.map((name) => name.trim()).filter((name) => name && !types.test(name));
    const classes = [...index.matchAll(/^export declare class (\w+)/gm)].map(([, name]) => name);
    assert(names.length >= 6 && classes.length >= 12);
    for (const name of [...names, ...classes]) {
      if (!LATER.test(name)) assert(name in zmq, `${name} is not exported`);
    }
  });
});
