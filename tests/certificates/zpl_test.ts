// What counts as ZPL, line by line: the rules of CZMQ's zconfig.

import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { CertificateError, parseCertificate } from "../../src/certificates/mod.ts";
import { assertSays, failure } from "../_util/rejection.ts";
import { CZMQ_PUBLIC, CZMQ_SECRET, PUBLIC_KEY, PYZMQ_PUBLIC, SECRET_KEY } from "./samples.ts";

const CURVE = `curve\n    public-key = "${PUBLIC_KEY}"\n`;
const LINES = CURVE.split("\n").length;

/** The error of a text, and its line. */
function refusal(text: string): CertificateError {
  const error = failure(() => parseCertificate(text), "EINVAL");
  assertInstanceOf(error, CertificateError);
  for (const key of [PUBLIC_KEY, SECRET_KEY]) {
    assert(!error.message.includes(key.slice(0, 6)), error.message);
    assert(!error.message.includes(key.slice(-6)), error.message);
  }
  if (error.line !== undefined) assertSays(error, `line ${error.line}: `);
  return error;
}

/** The metadata that a line below the section reads as. */
function noteOf(line: string): Record<string, string> {
  return parseCertificate(`${CURVE}metadata\n    ${line}\n`).metadata;
}

describe("a certificate's text", () => {
  for (
    const [what, text] of Object.entries({
      "without metadata": CURVE,
      "with the sections the other way round": `${CURVE}metadata\n    name = "Ada"\n`,
      "without a line break at its end": CURVE.trimEnd(),
      "with the line ends of Windows": CURVE.replaceAll("\n", "\r\n"),
      "with white space at the ends of lines": CURVE.replaceAll("\n", " \t\n"),
      "with empty lines": CURVE.replaceAll("\n", "\n\n   \n\t\n"),
      "with comments": `# a\n${CURVE.replaceAll("\n", " # b\n")}    # c\n  # d`,
      "with apostrophes": CURVE.replaceAll('"', "'"),
      "without quotes": CURVE.replaceAll('"', ""),
      "without white space around =": CURVE.replace(" = ", "="),
      "with tabs around =": CURVE.replace(" = ", "\t=\t\t"),
      "with a value for a section": CURVE.replace("curve", 'curve = "x"'),
      "with sections of others": `a\n    b\n        c = 1\n${CURVE}d = 2\n`,
      "of pyzmq": PYZMQ_PUBLIC,
      "with an empty secret key of zeroes": `${CURVE}    secret-key = "${"0".repeat(40)}"\n`,
    })
  ) {
    it(`${what} is read`, () => {
      const { publicKey, secretKey } = parseCertificate(text);
      assertEquals([publicKey, secretKey], [PUBLIC_KEY, null]);
    });
  }

  it("has the first of two values that have one name", () => {
    const other = CURVE.replace(PUBLIC_KEY, "x".repeat(40));
    assertEquals(parseCertificate(CURVE + other).publicKey, PUBLIC_KEY);
    assertEquals(parseCertificate(CURVE + other.replace("curve\n", "")).publicKey, PUBLIC_KEY);
    assertEquals(noteOf("a = 1\n    a = 2\nmetadata\n    b = 3"), { a: "1" });
  });

  it("has metadata with quotes, comments, or nothing", () => {
    assertEquals(noteOf(`name = "Ada"   # who`), { name: "Ada" });
    assertEquals(noteOf(`name = "Ada # who"#`), { name: "Ada # who" });
    assertEquals(noteOf(`name = 'Ada "A"'`), { name: 'Ada "A"' });
    assertEquals(noteOf(`name = Ada A  # who`), { name: "Ada A" });
    assertEquals(noteOf(`name = it's "A"`), { name: `it's "A"` });
    assertEquals(noteOf(`name =`), { name: "" });
    assertEquals(noteOf(`name`), { name: "" });
    assertEquals(noteOf(`name # who`), { name: "" });
    assertEquals(noteOf(`name = "Ada"\n        title = "Dr"`), { name: "Ada" });
  });

  it("has names with the characters of ZPL", () => {
    assertEquals(noteOf(`aZ09$-_@.&+/x = 1`), { "aZ09$-_@.&+/x": "1" });
  });

  for (
    const [what, [text, line, ...words]] of Object.entries<
      [string, number | undefined, ...string[]]
    >(
      {
        "with a tab before a name": [CURVE.replace("    ", "\t"), 2, "four spaces", "tabs"],
        "with three spaces before a name": [CURVE.replace("    ", "   "), 2, "four spaces"],
        "with a tab after four spaces": [CURVE.replace("    ", "    \t"), 2, "four spaces"],
        "that is indented from its start": [`    ${CURVE}`, 1, "one level above"],
        "that is indented twice at once": [CURVE.replace("    ", " ".repeat(8)), 2, "one level"],
        "with a line without a name": [`${CURVE}= 1\n`, LINES, "a name"],
        "with / at the start of a name": [`${CURVE}/a = 1\n`, LINES, "/"],
        "with / at the end of a name": [`${CURVE}a/ = 1\n`, LINES, "/"],
        "with two words for a name": [`${CURVE}a b = 1\n`, LINES, "="],
        "without an end quote": [`${CURVE}a = "b\n`, LINES, "quotes"],
        "with another quote at the end": [`${CURVE}a = "b'\n`, LINES, "quotes"],
        "with something after the quotes": [`${CURVE}a = "b" c\n`, LINES, "value"],
        "with a key without =": [CURVE.replace("= ", ""), 2, "="],
        "with a key of 39 characters": [CURVE.replace("Yne", "Yn"), 2, "public-key", "40"],
        "with a key that is not Z85": [CURVE.replace("Yne", "Yn,"), 2, "public-key", "40"],
        "with a secret key that is none": [
          CZMQ_SECRET.replace("D:)Q", "D:)"),
          11,
          "secret-key",
          "40",
        ],
        "whose public key is of zeroes": [
          CURVE.replace(PUBLIC_KEY, "0".repeat(40)),
          undefined,
          "public-key",
        ],
        "without a public key": [
          CZMQ_SECRET.replace("public-key", "other-key"),
          undefined,
          "public-key",
        ],
        "without the section curve": [
          CZMQ_PUBLIC.replace("curve\n", "other\n"),
          undefined,
          "curve",
        ],
        "with keys that are no children of curve": [
          CURVE.replace("    public", "public"),
          undefined,
          "curve",
        ],
        "that is empty": ["", undefined, "public-key"],
        "whose keys do not belong together": [
          CZMQ_SECRET.replace(PUBLIC_KEY, "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"),
          undefined,
          "does not belong",
        ],
        "that is a key and nothing else": [SECRET_KEY, 1, "value"],
      },
    )
  ) {
    it(`${what} is refused`, () => {
      const error = refusal(text);
      assertEquals([error.line, error.path], [line, undefined]);
      assertSays(error, "Cannot read a certificate", ...words);
    });
  }

  it("is cut at a # that is not in quotes, even in a key", () => {
    const key = "0000#" + PUBLIC_KEY.slice(5);
    assertEquals(parseCertificate(CURVE.replace(PUBLIC_KEY, key)).publicKey, key);
    const error = refusal(CURVE.replace(`"${PUBLIC_KEY}"`, key));
    assertEquals(error.line, 2);
    assertSays(error, "in quotes");
  });
});
