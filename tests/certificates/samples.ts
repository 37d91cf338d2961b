// Certificates as CZMQ 4.2.1 writes them, with the client's keys of zmq_curve(7) in their place.

export const PUBLIC_KEY: string = "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID";
export const SECRET_KEY: string = "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs";

/** `zcert_save`: the file to be given away. */
export const CZMQ_PUBLIC: string = `#   ****  Generated on 2026-11-21 18:26:15 by CZMQ  ****
#   ZeroMQ CURVE Public Certificate
#   Exchange securely, or use a secure mechanism to verify the contents
#   of this file after exchange. Store public certificates in your home
#   directory, in the .curve subdirectory.

metadata
    name = "Pieter Hintjens"
    version = "1"
    email = "ph@imatix.com"
curve
    public-key = "${PUBLIC_KEY}"
`;

/** `zcert_save`: the file to be kept. */
export const CZMQ_SECRET: string = `#   ****  Generated on 2026-11-21 18:26:15 by CZMQ  ****
#   ZeroMQ CURVE **Secret** Certificate
#   DO NOT PROVIDE THIS FILE TO OTHER USERS nor change its permissions.

metadata
    name = "Pieter Hintjens"
    version = "1"
    email = "ph@imatix.com"
curve
    public-key = "${PUBLIC_KEY}"
    secret-key = "${SECRET_KEY}"
`;

/** What pyzmq's `create_certificates` writes. */
export const PYZMQ_PUBLIC: string =
  `#   ****  Generated on 2026-11-21 18:26:15.123456 by pyzmq  ****
#   ZeroMQ CURVE Public Certificate
#   Exchange securely, or use a secure mechanism to verify the contents
#   of this file after exchange. Store public certificates in your home
#   directory, in the .curve subdirectory.

metadata
    name = "Ada"
curve
    public-key = "${PUBLIC_KEY}"
`;
