// Every option of every class: its default, how it is read and set, and what it refuses.

import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import { afterEach, describe, it } from "@std/testing/bdd";
import type { Socket } from "../../mod.ts";
import { SOCKET_TYPE_ID } from "../../src/wire/socket_type.ts";
import { Cleanup } from "../_util/cleanup.ts";
import {
  CLASS_NAMES,
  CLASSES,
  type ClassName,
  describeValue,
  OPTION_NAMES,
  OPTIONS,
  valuesOf,
  type WrongValue,
} from "../_util/option_table.ts";
import { assertSays, failure } from "../_util/rejection.ts";

const cleanup = new Cleanup();

function make(name: ClassName, options?: object): Socket {
  return cleanup.add(new CLASSES[name](options));
}

/** What the socket is, in the words of ZMTP. */
function typeOf(name: ClassName): string {
  const { type } = make(name);
  return Object.entries(SOCKET_TYPE_ID).find(([, id]) => id === type)![0];
}

/** The accessors that a class has, of its own and from Socket. */
function accessorsOf(name: ClassName): string[] {
  const found: string[] = [];
  for (let at = CLASSES[name].prototype; at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    for (const [key, { set }] of Object.entries(Object.getOwnPropertyDescriptors(at))) {
      if (set !== undefined) found.push(key);
    }
  }
  return [...new Set(found)].sort();
}

for (const name of CLASS_NAMES) {
  const options = Object.entries(OPTIONS[name]);

  describe(`the options of ${name}`, () => {
    afterEach(() => cleanup.run());

    it("are all in the table of this test, so that each one is looked at", () => {
      assertEquals(accessorsOf(name), Object.keys(OPTIONS[name]).sort());
    });

    it("have their defaults", () => {
      const values = valuesOf(make(name));
      for (const [option, facts] of options) assertEquals(values[option], facts.default, option);
    });

    it("are set as properties and read back", () => {
      const values = valuesOf(make(name));
      for (const [option, facts] of options) {
        for (const value of [...facts.others, facts.default]) {
          values[option] = value;
          assertEquals(values[option], value, `${option} ${describeValue(value)}`);
        }
      }
    });

    it("are taken by the constructor, one by one and together", () => {
      for (const [option, { others }] of options) {
        for (const value of others) {
          const given = make(name, { [option]: value });
          assertEquals(valuesOf(given)[option], value, `${option} ${describeValue(value)}`);
          given.linger = 0;
        }
      }
      const all = Object.fromEntries(options.map(([option, { others }]) => [option, others[0]]));
      const values = valuesOf(make(name, all));
      for (const [option, value] of Object.entries(all)) {
        assertEquals(values[option], value, option);
      }
    });

    it("belong to one socket alone", () => {
      const values = valuesOf(make(name));
      for (const [option, { others }] of options) values[option] = others[0];
      const fresh = valuesOf(make(name));
      for (const [option, facts] of options) assertEquals(fresh[option], facts.default, option);
    });

    it("stay as they are when given as undefined to the constructor", () => {
      const none = Object.fromEntries(options.map(([option]) => [option, undefined]));
      const values = valuesOf(make(name, none));
      for (const [option, facts] of options) assertEquals(values[option], facts.default, option);
    });

    it("refuse wrong types and values out of range, and keep what they were", () => {
      const socket = make(name);
      for (const [option, facts] of options) {
        for (const wrong of facts.wrong) {
          expectRefusal(name, option, wrong, () => valuesOf(socket)[option] = wrong[0]);
          expectRefusal(name, option, wrong, () => make(name, { [option]: wrong[0] }));
          assertEquals(valuesOf(socket)[option], facts.default, option);
        }
      }
    });

    it("are no others: those of other classes and unknown ones are refused by name", () => {
      const unknown = [
        "lingr",
        "sendHighWatermark",
        "type",
        "lastEndpoint",
        "bind",
        "toString",
        "constructor",
      ];
      for (const option of [...unknown, ...OPTION_NAMES]) {
        if (Object.hasOwn(OPTIONS[name], option)) continue;
        const error = failure(() => make(name, { [option]: 1 }), "EINVAL");
        assertInstanceOf(error, TypeError);
        assertSays(error, option, typeOf(name));
        assertThrows(() => valuesOf(make(name))[option] = 1, TypeError, undefined, option);
      }
    });

    it("may be read, and set, when the socket is closed", async () => {
      const socket = make(name, { linger: 5 });
      await socket.close();
      assertEquals(socket.linger, 5);
      socket.linger = 6;
      assertEquals(socket.linger, 6);
    });
  });
}

function expectRefusal(
  name: ClassName,
  option: string,
  [value, type, ...says]: WrongValue,
  set: () => void,
): void {
  const what = `${name}.${option} = ${describeValue(value)}`;
  let error: Error & { code?: string } | undefined;
  try {
    set();
  } catch (thrown) {
    error = thrown as Error;
  }
  assert(error !== undefined, `${what} was taken`);
  assertEquals([error.constructor.name, error.code], [type.name, "EINVAL"], `${what}: ${error}`);
  assertSays(error, option, ...says);
}

describe("a value that an option keeps", () => {
  afterEach(() => cleanup.run());

  it("does not change with the array or object that was given", () => {
    const given = {
      tcpAcceptFilter: ["10.0.0.0/8"],
      reconnectStop: ["refused"],
      properties: { "X-a": "1" },
    };
    const values = valuesOf(make("Push", given));
    given.tcpAcceptFilter.push("::/0");
    given.reconnectStop.push("handshakeFailed");
    Object.assign(given.properties, { "X-b": "2" });
    assertEquals(
      [values.tcpAcceptFilter, values.reconnectStop, values.properties],
      [["10.0.0.0/8"], ["refused"], { "X-a": "1" }],
    );
  });

  it("does not change with the octets that were given", () => {
    const octets = Uint8Array.of(1, 2);
    const socket = make("Dealer", { routingId: octets });
    octets[0] = 9;
    assertEquals(valuesOf(socket).routingId, Uint8Array.of(1, 2));
  });

  it("goes back to none with null, where there may be none", () => {
    for (
      const [option, value] of [
        ["tcpAcceptFilter", "10.0.0.0/8"],
        ["socksProxy", "127.0.0.1:1080"],
        ["socksUsername", "user"],
        ["socksPassword", "secret"],
        ["reconnectStop", ["refused"]],
        ["interface", "lo"],
        ["routingId", "me"],
      ] as const
    ) {
      // As libzmq, an empty text is none where it could mean nothing else.
      const empty = ["reconnectStop"].includes(option) ? [null] : [null, ""];
      for (const none of empty) {
        const values = valuesOf(make("Dealer", { [option]: value }));
        values[option] = none;
        assertEquals(values[option], null, option);
      }
    }
  });
});
