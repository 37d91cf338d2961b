// Which test observes what an option does. A new option without an entry, or an entry that is no longer true, fails.

import { assert, assertEquals } from "@std/assert";
import { describe, it } from "@std/testing/bdd";
import { OPTION_NAMES } from "../_util/option_table.ts";
import { blank } from "../_util/source_text.ts";

interface FileSystem {
  readFileSync(path: URL, encoding: "utf8"): string;
}

const { process } = globalThis as unknown as {
  process: { getBuiltinModule(name: "node:fs"): FileSystem };
};

const OBSERVED_IN: Readonly<Record<string, string>> = {
  affinity: "options/no_effect_test.ts",
  attachMetadata: "runtimes/metadata_test.ts",
  backlog: "options/connect_test.ts",
  conflate: "options/conflate_test.ts runtimes/pubsub_bodies_test.ts",
  connectTimeout: "options/connect_test.ts options/socks_trouble_test.ts",
  correlate: "runtimes/request_reply_test.ts",
  curvePublicKey: "options/security_contradictions_test.ts options/security_values_test.ts",
  curveSecretKey: "options/security_contradictions_test.ts options/security_values_test.ts",
  curveServer: "options/security_contradictions_test.ts options/security_values_test.ts",
  curveServerKey: "options/security_contradictions_test.ts options/security_values_test.ts",
  handover: "runtimes/router_test.ts",
  handshakeInterval: "runtimes/hostile_test.ts options/reconnect_test.ts",
  heartbeatInterval: "options/heartbeat_test.ts",
  heartbeatTimeToLive: "options/heartbeat_test.ts",
  heartbeatTimeout: "options/heartbeat_test.ts",
  immediate: "runtimes/reconnect_test.ts runtimes/mute_test.ts",
  interface: "options/no_effect_test.ts",
  invertMatching: "runtimes/xpub_options_test.ts",
  ipv6: "runtimes/endpoints_test.ts",
  linger: "runtimes/reconnect_test.ts options/context_terminate_test.ts",
  loopbackFastPath: "options/no_effect_test.ts",
  mandatory: "runtimes/mute_test.ts",
  manual: "runtimes/xpub_manual_test.ts",
  manualLastValue: "runtimes/xpub_manual_test.ts",
  maxMessageParts: "hostile/multipart_test.ts",
  maxMessageSize: "runtimes/hostile_test.ts options/context_test.ts",
  maxMultipartSize: "hostile/multipart_test.ts",
  maxPendingHandshakes: "hostile/pending_test.ts",
  maxSubscriptions: "runtimes/xpub_test.ts",
  maxTopicLength: "runtimes/xpub_test.ts",
  multicastHops: "options/no_effect_test.ts",
  multicastMaxTransportDataUnit: "options/no_effect_test.ts",
  noDrop: "runtimes/pubsub_flow_test.ts",
  notify: "options/notify_test.ts",
  onlyFirstSubscribe: "runtimes/xpub_test.ts",
  plainPassword: "security/zap_request_test.ts security/plain_test.ts",
  plainServer: "security/plain_test.ts options/security_contradictions_test.ts",
  plainUsername: "security/zap_request_test.ts security/plain_test.ts",
  origins: "websocket/upgrade_test.ts",
  probeRouter: "runtimes/router_test.ts",
  properties: "options/properties_test.ts runtimes/metadata_test.ts",
  rate: "options/no_effect_test.ts",
  receiveBufferSize: "options/no_effect_test.ts",
  receiveHighWaterMark: "runtimes/flow_test.ts",
  receiveTimeout: "runtimes/operations_test.ts",
  reconnectInterval: "options/reconnect_test.ts",
  reconnectMaxInterval: "options/reconnect_test.ts",
  reconnectStop: "options/reconnect_test.ts options/socks_trouble_test.ts",
  recoveryInterval: "options/no_effect_test.ts",
  relaxed: "runtimes/request_reply_test.ts",
  routingId: "runtimes/router_test.ts options/properties_test.ts",
  sendBufferSize: "options/no_effect_test.ts",
  sendHighWaterMark: "runtimes/mute_test.ts",
  sendTimeout: "runtimes/operations_test.ts",
  socksPassword: "options/socks_test.ts",
  socksProxy: "options/socks_test.ts options/socks_trouble_test.ts",
  socksUsername: "options/socks_test.ts",
  tcpAcceptFilter: "options/accept_filter_test.ts",
  tcpKeepalive: "runtimes/endpoints_test.ts",
  tcpKeepaliveCount: "options/no_effect_test.ts",
  tcpKeepaliveIdle: "runtimes/endpoints_test.ts",
  tcpKeepaliveInterval: "options/no_effect_test.ts",
  tcpMaxRetransmitTimeout: "options/no_effect_test.ts",
  typeOfService: "options/no_effect_test.ts",
  verbosity: "runtimes/xpub_options_test.ts runtimes/xsub_test.ts",
  vmciBufferMaxSize: "options/no_effect_test.ts",
  vmciBufferMinSize: "options/no_effect_test.ts",
  vmciBufferSize: "options/no_effect_test.ts",
  vmciConnectTimeout: "options/no_effect_test.ts",
  welcomeMessage: "runtimes/xpub_options_test.ts",
  wssCertPem: "websocket/wss_test.ts websocket/wss_options_test.ts",
  wssHostname: "websocket/wss_test.ts",
  wssKeyPem: "websocket/wss_test.ts websocket/wss_options_test.ts",
  wssTrustPem: "websocket/wss_test.ts websocket/wss_options_test.ts",
  wssTrustSystem: "websocket/wss_trust_test.ts",
  zapDomain: "security/zap_request_test.ts security/zap_domain_test.ts",
  zapEnforceDomain: "security/zap_missing_test.ts security/zap_domain_test.ts",
};

describe("the table of observed options", () => {
  it("has every option there is, and no other", () => {
    assertEquals(Object.keys(OBSERVED_IN).sort(), [...OPTION_NAMES].sort());
  });

  it("names files whose code is about the option", () => {
    const { readFileSync } = process.getBuiltinModule("node:fs");
    for (const [option, files] of Object.entries(OBSERVED_IN)) {
      for (const file of files.split(" ")) {
        const code = blank(
          readFileSync(new URL(`../${file}`, import.meta.url), "utf8"),
          "comments",
        );
        assert(new RegExp(`\\b${option}\\b`).test(code), `${file} says nothing of ${option}`);
      }
    }
  });
});
