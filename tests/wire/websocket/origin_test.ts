import { assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { admitsOrigin } from "../../../src/wire/websocket/origin.ts";

const HOST = "example.org:5555";

describe("admitsOrigin()", () => {
  it("keeps out no program, which has no origin", () => {
    for (const origins of [null, "*", "https://a", []]) {
      for (const credentials of [false, true]) {
        assertEquals(admitsOrigin(undefined, HOST, origins, credentials), true);
      }
    }
  });

  it("lets in all pages by default where nobody needs credentials", () => {
    for (const origin of ["https://a", "null", "file://", "http://example.org:5555"]) {
      assertEquals(admitsOrigin(origin, HOST, null, false), true);
    }
  });

  it("lets in pages of the same host and port only by default where credentials are needed", () => {
    for (
      const [origin, host, admitted] of [
        ["http://example.org:5555", HOST, true],
        ["https://example.org:5555", "EXAMPLE.org:5555", true],
        ["http://example.org", "example.org", true],
        ["http://example.org", "example.org:80", true],
        ["https://example.org", "example.org:443", true],
        ["http://[::1]:5555", "[::1]:5555", true],
        ["http://example.org", HOST, false],
        ["https://example.org", "example.org:80", false],
        ["http://example.org:5556", HOST, false],
        ["http://sub.example.org:5555", HOST, false],
        ["http://example.org:5555/", HOST, false],
        ["http://example.org.evil.net:5555", HOST, false],
        ["http://evil.net/example.org:5555", HOST, false],
        ["http://example.org:5555@evil.net", HOST, false],
        ["http://evil.net@example.org:5555", "evil.net", false],
        ["null", HOST, false],
        ["null", "null", false],
        ["", "", false],
        ["file://", HOST, false],
        ["chrome-extension://example.org:5555", HOST, false],
        ["http://", HOST, false],
        ["http://%", "%", false],
      ] as const
    ) assertEquals(admitsOrigin(origin, host, null, true), admitted, `${origin} at ${host}`);
  });

  it("lets in those on the list, credentials or not, and only those", () => {
    for (const credentials of [false, true]) {
      assertEquals(admitsOrigin("https://a", HOST, "https://a", credentials), true);
      assertEquals(admitsOrigin("https://b", HOST, ["https://a", "https://b"], credentials), true);
      assertEquals(admitsOrigin("null", HOST, ["null"], credentials), true);
      for (
        const origin of [
          "https://c",
          "http://a",
          "https://a:444",
          "null",
          "http://example.org:5555",
        ]
      ) {
        assertEquals(admitsOrigin(origin, HOST, ["https://a", "https://b"], credentials), false);
        assertEquals(admitsOrigin(origin, HOST, [], credentials), false);
      }
      assertEquals(admitsOrigin("https://a", HOST, "https://ab", credentials), false);
      assertEquals(admitsOrigin("https://a", HOST, ["https://ab"], credentials), false);
    }
  });

  it("lets in all pages with a star", () => {
    for (const origin of ["https://a", "null"]) {
      assertEquals(admitsOrigin(origin, HOST, "*", true), true);
    }
  });
});
