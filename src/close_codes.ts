// Why a WebSocket is closed: the codes of RFC 6455, section 7.4.1.

/** It was agreed to close. */
export const NORMAL = 1000;
/** A server goes down, or a page is left. */
export const GOING_AWAY = 1001;
/** The peer broke the protocol. */
export const PROTOCOL_ERROR = 1002;
/** The peer sent text, where ZeroMQ's messages are binary. */
export const NOT_BINARY = 1003;
/** Stands for a close frame without a code, and is never sent. */
export const NO_CODE = 1005;
/** Stands for an end without a close frame, and is never sent. */
export const LOST = 1006;
/** The peer sent text that is not UTF-8. */
export const INVALID_DATA = 1007;
/** The peer may not go on. */
export const REFUSED = 1008;
/** The peer sent a message that is longer than what is taken. */
export const TOO_LONG = 1009;
