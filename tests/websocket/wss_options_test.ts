// The options of wss:// take PEM and say what is wrong, without a word of a key.

import { assert, assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { Pull } from "../../mod.ts";
import { AUTHORITY, CHAINED, ENCRYPTED_KEY, SERVER } from "../_util/certificates.ts";
import { rejection } from "../_util/rejection.ts";

/** As `openssl ecparam -genkey` prints it, and as it was before PKCS 8. */
const OLD_KEY = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n" +
  "-----BEGIN EC PRIVATE KEY-----\nMHcC\n-----END EC PRIVATE KEY-----\n";
const OLD_ENCRYPTED = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n" +
  "DEK-Info: AES-128-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n";

describe("the options of wss", () => {
  const good: readonly [keyof Pull & string, string][] = [
    ["wssKeyPem", SERVER.key],
    ["wssKeyPem", OLD_KEY],
    ["wssCertPem", CHAINED.certificate],
    ["wssCertPem", CHAINED.certificate.replaceAll("\n", "\r\n")],
    ["wssTrustPem", `A comment, as some tools write it\n${AUTHORITY}`],
    ["wssHostname", "peer.test"],
  ];
  it("take what they are for, and an empty text as none", () => {
    for (const [name, value] of good) {
      const pull = new Pull() as unknown as Record<string, unknown>;
      assertEquals(pull[name], null);
      pull[name] = value;
      assertEquals(pull[name], value);
      if (name === "wssHostname") continue;
      pull[name] = "";
      assertEquals(pull[name], null);
    }
  });

  const bad: readonly [string, string, string][] = [
    ["wssKeyPem", "/etc/ssl/key.pem", "no PEM"],
    ["wssKeyPem", SERVER.certificate, "another kind"],
    ["wssKeyPem", ENCRYPTED_KEY, "passphrase"],
    ["wssKeyPem", OLD_ENCRYPTED, "passphrase"],
    ["wssCertPem", SERVER.key, "another kind"],
    ["wssCertPem", SERVER.certificate.slice(0, -20), "no PEM"],
    ["wssTrustPem", "ISRG Root X1", "no PEM"],
  ];
  for (const [name, value, says] of bad) {
    it(`refuse, for ${name}, ${says}: ${JSON.stringify(value.slice(0, 30))}`, () => {
      const pull = new Pull() as unknown as Record<string, unknown>;
      const error = assertThrows(() => pull[name] = value, RangeError, says);
      assertEquals((error as RangeError & { code: string }).code, "EINVAL");
      assert(error.message.includes(name), error.message);
      assert(!error.message.includes(value.slice(-40)), error.message);
      assertEquals(pull[name], null);
    });
  }

  it("refuse what is no text", () => {
    for (const name of ["wssKeyPem", "wssCertPem", "wssTrustPem", "wssHostname"]) {
      const pull = new Pull() as unknown as Record<string, unknown>;
      assertThrows(() => pull[name] = new Uint8Array(3), TypeError, name);
    }
  });

  it("are what bind asks for", async () => {
    for (const options of [{}, { wssKeyPem: SERVER.key }, { wssCertPem: SERVER.certificate }]) {
      const error = await rejection(new Pull(options).bind("wss://127.0.0.1:*"), "EINVAL");
      assert(error.message.includes("wssKeyPem and wssCertPem"), error.message);
    }
  });

  it("have to belong together", async () => {
    const pull = new Pull({ wssKeyPem: CHAINED.key, wssCertPem: SERVER.certificate });
    const error = await rejection(pull.bind("wss://127.0.0.1:*"), "EINVAL");
    assert(error.message.includes("wssKeyPem is not the key"), error.message);
    assertEquals(pull.lastEndpoint, null);
  });
});
