import { testSecurePubSub } from "../_util/security_pubsub.ts";

testSecurePubSub("CURVE");
