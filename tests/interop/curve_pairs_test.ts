import { testSecurePairs } from "../_util/security_pairing.ts";

testSecurePairs("CURVE");
