import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { acceptOf, isKey, sha1 } from "../../../src/wire/websocket/accept_key.ts";
import { toHex, utf8 } from "../../_util/bytes.ts";
import { ACCEPT } from "../../_util/zws_vectors.ts";

describe("sha1()", () => {
  it("gives the hashes of RFC 3174, section 7.3", () => {
    for (
      const [text, hash] of [
        ["abc", "a9993e364706816aba3e25717850c26c9cd0d89d"],
        ["a", "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8"],
        [
          "0123456701234567012345670123456701234567012345670123456701234567".repeat(10),
          "dea356a2cddd90c7a7ecedc5ebb563934f460452",
        ],
      ]
    ) assertEquals(toHex(sha1(utf8(text))), hash);
  });

  it("gives what WebCrypto gives, for all sizes around its blocks", async () => {
    for (let size = 0; size <= 200; size++) {
      const octets = crypto.getRandomValues(new Uint8Array(size));
      const expected = new Uint8Array(await crypto.subtle.digest("SHA-1", octets));
      assertEquals(toHex(sha1(octets)), toHex(expected), `${size} octets`);
    }
  });
});

describe("acceptOf()", () => {
  it("answers GV-WS-01 and the example of RFC 6455 (ZWS2-HS-01)", () => {
    assertEquals(acceptOf(ACCEPT.key), ACCEPT.accept);
    assertEquals(acceptOf("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  });
});

describe("isKey()", () => {
  it("takes the base64 of 16 octets only", () => {
    for (const text of [ACCEPT.key, "AAAAAAAAAAAAAAAAAAAAAA==", "+/+/+/+/+/+/+/+/+/+/+w=="]) {
      assert(isKey(text), text);
    }
    for (
      const text of [
        "",
        "AAAA",
        "AAAAAAAAAAAAAAAAAAAAAA",
        "AAAAAAAAAAAAAAAAAAAAAA=",
        "AAAAAAAAAAAAAAAAAAAAA===",
        "AAAAAAAAAAAAAAAAAAAAAAA=",
        "AAAAAAAAAAAAAAAAAAAAAAAAAA==",
        "AAAAAAAAAAAAAAAAAAAA_-==",
        "AAAAAAAAAAAAAAAAAAAAAA== ",
        "AAAAAAAAAAAAAAAAAAAAAA==\n",
      ]
    ) assert(!isKey(text), text);
  });
});
