// All targets, in the order in which they have their turns.

import type { AnyTarget } from "./target.ts";
import { commands } from "./targets/commands.ts";
import { curveFrames } from "./targets/curve_frames.ts";
import { endpoints } from "./targets/endpoints.ts";
import { fanOut } from "./targets/fan_out.ts";
import { filter } from "./targets/filter.ts";
import { handshake } from "./targets/handshake.ts";
import { inbox } from "./targets/inbox.ts";
import { links } from "./targets/links.ts";
import { metadata } from "./targets/metadata.ts";
import { opening } from "./targets/opening.ts";
import { options } from "./targets/options.ts";
import { outbox } from "./targets/outbox.ts";
import { patterns } from "./targets/patterns.ts";
import { receiver } from "./targets/receiver.ts";
import { sessions } from "./targets/sessions.ts";
import { socks } from "./targets/socks.ts";
import { tcp } from "./targets/tcp.ts";
import { tcpProxy } from "./targets/tcp_proxy.ts";
import { topics } from "./targets/topics.ts";
import { upgrade } from "./targets/upgrade.ts";
import { webSocket } from "./targets/websocket.ts";
import { z85 } from "./targets/z85.ts";
import { zap } from "./targets/zap.ts";
import { zmtp1 } from "./targets/zmtp1.ts";
import { zpl } from "./targets/zpl.ts";

export const TARGETS: readonly AnyTarget[] = [
  receiver,
  filter,
  zmtp1,
  webSocket,
  upgrade,
  inbox,
  outbox,
  topics,
  fanOut,
  opening,
  metadata,
  commands,
  handshake,
  sessions,
  curveFrames,
  links,
  patterns,
  tcp,
  tcpProxy,
  socks,
  zap,
  z85,
  zpl,
  endpoints,
  options,
];
