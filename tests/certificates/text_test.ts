// Certificates as text: what is written, what is read, and what is refused.

import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import fc from "fast-check";
import {
  type Certificate,
  CertificateError,
  formatCertificate,
  newCertificate,
  parseCertificate,
} from "../../src/certificates/mod.ts";
import { curvePublicKeyOf } from "../../src/security/keys.ts";
import { assertSays, failure } from "../_util/rejection.ts";
import { CZMQ_PUBLIC, CZMQ_SECRET, PUBLIC_KEY, SECRET_KEY } from "./samples.ts";

const ADA: Certificate = {
  publicKey: PUBLIC_KEY,
  secretKey: SECRET_KEY,
  metadata: { name: "Ada", "e-mail": "ada@example.org" },
};

function withMetadata(metadata: Record<string, string>): Certificate {
  return { ...ADA, metadata };
}

/** The error for a certificate that cannot be written. */
function refusal(certificate: unknown, type: typeof TypeError | typeof RangeError): Error {
  const error = failure(() => formatCertificate(certificate as Certificate), "EINVAL");
  assertInstanceOf(error, type);
  return error;
}

describe("newCertificate", () => {
  it("has a key pair, and a copy of the metadata", () => {
    const metadata = { name: "Ada" };
    const certificate = newCertificate(metadata);
    assertEquals(curvePublicKeyOf(certificate.secretKey!), certificate.publicKey);
    metadata.name = "Bob";
    assertEquals(certificate.metadata, { name: "Ada" });
    assertEquals(newCertificate().metadata, {});
  });

  it("refuses metadata that could not be written", () => {
    failure(() => newCertificate({ "my name": "Ada" }), "EINVAL");
    failure(() => newCertificate({ name: "a\nb" }), "EINVAL");
  });
});

describe("formatCertificate", () => {
  it("writes the sections of ZPL below comments, as CZMQ does", () => {
    const lines = formatCertificate(ADA).split("\n");
    assert(lines[0].startsWith("#"));
    assertEquals(lines.slice(lines.indexOf("")), [
      "",
      "metadata",
      '    name = "Ada"',
      '    e-mail = "ada@example.org"',
      "curve",
      `    public-key = "${PUBLIC_KEY}"`,
      "",
    ]);
  });

  it("writes the secret key only when it is asked for", () => {
    assert(!formatCertificate(ADA).includes("secret-key"));
    assert(!formatCertificate(ADA).includes(SECRET_KEY));
    const lines = formatCertificate(ADA, { secret: true }).split("\n");
    assert(lines[0].includes("Secret"));
    assertEquals(lines.slice(-3), [
      `    public-key = "${PUBLIC_KEY}"`,
      `    secret-key = "${SECRET_KEY}"`,
      "",
    ]);
  });

  it("refuses to write a secret key that is not there", () => {
    const error = failure(
      () => formatCertificate({ ...ADA, secretKey: null }, { secret: true }),
      "EINVAL",
    );
    assertSays(error, "secretKey");
  });

  it("refuses what is no certificate", () => {
    for (const value of [undefined, null, "certificate", 1]) refusal(value, TypeError);
    assertSays(refusal({ ...ADA, publicKey: undefined }, TypeError), "publicKey");
    assertSays(refusal({ ...ADA, secretKey: undefined }, TypeError), "secretKey");
    assertSays(refusal({ ...ADA, secretKey: new Uint8Array(32) }, TypeError), "secretKey");
    assertSays(refusal({ ...ADA, metadata: null }, TypeError), "metadata");
    assertSays(refusal({ ...ADA, metadata: { name: 1 } }, TypeError), "metadata name", "number");
  });

  it("refuses keys that are none, without repeating them", () => {
    const wrong = SECRET_KEY.replace("Q", '"');
    for (const key of ["", wrong, SECRET_KEY.slice(1), "0".repeat(40)]) {
      const error = refusal({ ...ADA, secretKey: key }, RangeError);
      assertSays(error, "secretKey", "40 characters of Z85");
      assert(!error.message.includes(SECRET_KEY.slice(-9)), error.message);
      assertSays(refusal({ ...ADA, publicKey: key, secretKey: null }, RangeError), "publicKey");
    }
  });

  it("refuses a public key that does not belong to the secret one", () => {
    const { publicKey } = newCertificate();
    assertSays(refusal({ ...ADA, publicKey }, RangeError), "publicKey", "belongs to secretKey");
  });

  it("refuses names that ZPL has not", () => {
    for (const name of ["", "my name", "a=b", "a#b", "/a", "a/", "é", "a\n", '"']) {
      assertSays(refusal(withMetadata({ [name]: "x" }), RangeError), JSON.stringify(name));
    }
  });

  it("refuses values that ZPL cannot hold", () => {
    for (const value of ["a\nb", "a\rb", "a\0b", `"'#`, `'"`, `a"'b `, `a"'#b`, "\ud800"]) {
      assertSays(refusal(withMetadata({ note: value }), RangeError), "metadata note");
    }
  });
});

describe("parseCertificate", () => {
  it("reads CZMQ's public and secret files", () => {
    const metadata = { name: "Pieter Hintjens", version: "1", email: "ph@imatix.com" };
    assertEquals(parseCertificate(CZMQ_PUBLIC), {
      publicKey: PUBLIC_KEY,
      secretKey: null,
      metadata,
    });
    assertEquals(parseCertificate(CZMQ_SECRET), {
      publicKey: PUBLIC_KEY,
      secretKey: SECRET_KEY,
      metadata,
    });
  });

  it("gives back what was written", () => {
    for (const metadata of [{}, ADA.metadata, { empty: "", "a/b.c@d&e+f$g_h-i": "x" }]) {
      const certificate = withMetadata(metadata);
      assertEquals(parseCertificate(formatCertificate(certificate, { secret: true })), certificate);
      assertEquals(parseCertificate(formatCertificate(certificate)), {
        ...certificate,
        secretKey: null,
      });
    }
  });

  it("gives back values with quotes, comments and white space", () => {
    const values = [`"`, "'", `Ada "the first"`, "O'Neill", `O'Neill "Ed"`, "#1", " a ", "a\tb"];
    for (const note of [...values, "=", "\\n", "日本語 😀", "\u00a0", "__proto__"]) {
      assertEquals(parseCertificate(formatCertificate(withMetadata({ note }))).metadata, { note });
    }
  });

  it("gives back names that objects have of their own", () => {
    const metadata = Object.fromEntries([["__proto__", "a"], ["constructor", "b"]]);
    const text = formatCertificate(withMetadata(metadata));
    assertEquals(
      Object.entries(parseCertificate(text).metadata),
      [["__proto__", "a"], ["constructor", "b"]],
    );
  });

  it("gives back any metadata that it can write", () => {
    const name = fc.string({ unit: fc.constantFrom(..."aZ09$-_@.&+/"), minLength: 1 });
    const value = fc.oneof(
      fc.string(),
      fc.string({ unit: "binary" }),
      fc.string({ unit: fc.constantFrom(..."\"'# =\tab\\") }),
    );
    let written = 0;
    fc.assert(fc.property(fc.dictionary(name, value), (metadata) => {
      const certificate = withMetadata({ ...metadata });
      let text: string;
      try {
        text = formatCertificate(certificate, { secret: true });
      } catch (error) {
        return assertInstanceOf(error, RangeError);
      }
      written++;
      assertEquals(parseCertificate(text), certificate);
    }));
    assert(written > 10);
  });

  it("of any text is a certificate or a CertificateError", () => {
    const part = fc.constantFrom(
      ..."#='\"/ \t\n\r0",
      "    ",
      "\n    ",
      "curve",
      "public-key",
      "metadata",
    );
    const text = fc.oneof(
      fc.string(),
      fc.array(part).map((parts) => parts.join("")),
      fc.tuple(fc.nat({ max: CZMQ_SECRET.length }), part).map(([at, inserted]) =>
        CZMQ_SECRET.slice(0, at) + inserted + CZMQ_SECRET.slice(at)
      ),
    );
    fc.assert(fc.property(text, (text) => {
      try {
        assertEquals(curvePublicKeyOf(parseCertificate(text).secretKey ?? SECRET_KEY), PUBLIC_KEY);
      } catch (error) {
        assertInstanceOf(error, CertificateError);
        assertEquals(error.code, "EINVAL");
        assert(!error.message.includes(SECRET_KEY.slice(-9)));
      }
    }));
  });

  it("refuses what is no string", () => {
    for (const value of [undefined, null, 1, new Uint8Array(3)]) {
      const error = failure(() => parseCertificate(value as unknown as string), "EINVAL");
      assertInstanceOf(error, TypeError);
    }
  });
});
