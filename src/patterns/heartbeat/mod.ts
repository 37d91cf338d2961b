// Ping-pong heartbeats for ROUTER and DEALER.

export {
  PingPong,
  type PingPongMessage,
  type PingPongOptions,
  type PingPongStats,
} from "./ping_pong.ts";
export { DealerHeartbeat, type DealerHeartbeatEvents } from "./dealer.ts";
export {
  type PeerHeartbeat,
  type RoutedMessage,
  RouterHeartbeat,
  type RouterHeartbeatEvents,
  type RouterHeartbeatOptions,
  type RouterHeartbeatStats,
} from "./router.ts";
