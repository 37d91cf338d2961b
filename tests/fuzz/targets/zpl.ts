// Certificates and the text format they are in: what is read can be written and read again, all else is an error with a line.

import { assertEquals } from "@std/assert";
import {
  type Certificate,
  formatCertificate,
  parseCertificate,
} from "../../../src/certificates/certificate.ts";
import { CertificateError } from "../../../src/certificates/error.ts";
import { isZplName, parseZpl, quoteZpl } from "../../../src/certificates/zpl.ts";
import { drawText } from "../draws.ts";
import { checkArgumentError, type Target } from "../target.ts";

interface Input {
  readonly text: string;
  readonly value: string;
}

const PUBLIC = "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7";
const SECRET = "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6";
const WORDS = [
  "metadata",
  "curve",
  "    ",
  "\n",
  "\n",
  " = ",
  '"',
  "'",
  "#",
  "public-key",
  "secret-key",
  `    public-key = "${PUBLIC}"\n`,
  `    secret-key = "${SECRET}"\n`,
  "curve\n",
  "metadata\n",
  '    name = "Ada"\n',
  `    public-key = "${"0".repeat(40)}"\n`,
  "/",
  "\t",
  "__proto__",
  "constructor",
];

export const zpl: Target<Input> = {
  name: "zpl",
  draw: (tape) => ({
    text: (tape.oneIn(2) ? `curve\n    public-key = "${PUBLIC}"\n` : "") +
      drawText(tape, WORDS, 30),
    value: drawText(tape, [`"`, "'", "#", " ", "a", "\\"]),
  }),
  check({ text, value }) {
    try {
      for (const { name, line } of parseZpl(text, undefined)) {
        assertEquals([isZplName(name), line > 0], [true, true]);
      }
    } catch (error) {
      if (!(error instanceof CertificateError)) throw error;
      checkArgumentError(error);
    }
    checkValue(value);
    let certificate: Certificate;
    try {
      certificate = parseCertificate(text);
    } catch (error) {
      return checkArgumentError(error);
    }
    checkAgain(certificate, false);
    if (certificate.secretKey !== null) checkAgain(certificate, true);
  },
};

/** What can be quoted is read as it was. */
function checkValue(value: string): void {
  const quoted = quoteZpl(value);
  if (quoted === undefined) return;
  assertEquals(parseZpl(`name = ${quoted}`, undefined)[0].value, value);
}

function checkAgain(certificate: Certificate, secret: boolean): void {
  let text: string;
  try {
    text = formatCertificate(certificate, { secret });
  } catch (error) {
    // Not every value that can be read can be written.
    return checkArgumentError(error);
  }
  const again = parseCertificate(text);
  assertEquals(again, { ...certificate, secretKey: secret ? certificate.secretKey : null });
}
