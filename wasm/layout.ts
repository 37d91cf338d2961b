// The memory map and the codes that the core and its TypeScript side share: compiled by asc, imported by src/core.
// Plain numbers only, so that both languages read the same file. The drawings are in README.md beside it.

/** Where the scanner and the outboxes write their answers. */
export const RESULTS = 64;
/** Bytes that hold a short string while it is encoded. */
export const SCRATCH = 4096;
/** Size of the scratch bytes. */
export const SCRATCH_SIZE = 4096;
/** First byte that belongs to the compiler and the allocator. */
export const MEMORY_BASE = 8192;

// ZMTP 3 frame flags (RFC 23, 37).

/** More frames of the message follow. */
export const FLAG_MORE = 1;
/** The size field has eight octets. */
export const FLAG_LONG = 2;
/** The frame is a command. */
export const FLAG_COMMAND = 4;
/** Only inside an outbox: the body is not in the ring but held by reference. */
export const FLAG_REFERENCE = 128;

/** Octets before a body of up to 255 octets. */
export const SHORT_HEADER = 2;
/** Octets before a longer body. */
export const LONG_HEADER = 9;
/** The longest body of any frame, as libzmq's default context limit (`INT_MAX`). */
export const BODY_LIMIT = 2147483647;
/** The longest body of a command. */
export const COMMAND_LIMIT = 65536;

// Answers of scan().

/** Every whole frame is in the table; the rest is the beginning of one, or nothing. */
export const SCAN_DONE = 0;
/** A command was reached: SCAN_BODY and SCAN_SIZE tell where it is; call again after it. */
export const SCAN_COMMAND = 1;
/** The table is full: call again from SCAN_NEXT. */
export const SCAN_AGAIN = 2;
/** Reserved flag bits, or MORE on a command. */
export const SCAN_BAD_FLAGS = 3;
/** A size above 2^63-1, BODY_LIMIT, COMMAND_LIMIT or the caller's limit. */
export const SCAN_BAD_SIZE = 4;
/** A message of more frames than the caller's limit. */
export const SCAN_BAD_PARTS = 5;
/** A message whose frames have more octets together than the caller's limit. */
export const SCAN_BAD_TOTAL = 6;

// What scan() leaves at RESULTS, in 32-bit words.

/** Address of the first byte that was not consumed. */
export const SCAN_NEXT = 0;
/** Frames so far of the message that goes on; 0 between messages. */
export const SCAN_PARTS = 1;
/** How many octets the frame at SCAN_NEXT has in all; 0 when its header is not complete. */
export const SCAN_NEED = 2;
/** Flags of the frame at SCAN_NEXT, or of the command. */
export const SCAN_FLAGS = 3;
/** Address of the command's body. */
export const SCAN_BODY = 4;
/** Size of the command's body. */
export const SCAN_SIZE = 5;
/** How many runs the table has. */
export const SCAN_RUNS = 6;
/** Octets so far of the message that goes on. */
export const SCAN_TOTAL = 7;
/** First word of the table: address, size and finished messages for each run. */
export const SCAN_TABLE = 8;
/** Words in a row of the table. */
export const RUN_WORDS = 3;
/** Rows of the table. */
export const RUN_LIMIT = 256;

/** What filter() leaves at RESULTS: 0 between messages, 1 behind frames that it kept, or MIDDLE_DROPPED. */
export const FILTER_MIDDLE = 0;
/** Behind frames that were dropped: those that belong to the same message are dropped as well. */
export const MIDDLE_DROPPED = 2;

// What outboxTake() leaves at RESULTS, in 32-bit words.

/** Address of the run, or of the header of a body held by reference. */
export const TAKE_ADDRESS = 0;
/** Octets of the run; for a body held by reference, of the body. */
export const TAKE_SIZE = 1;
/** 1 when the next octets are a body held by reference. */
export const TAKE_REFERENCE = 2;
/** 1 when the message goes on after this part. */
export const TAKE_MIDDLE = 3;

// An outbox, in 32-bit words from its address.

/** Messages that wait: committed and not taken. */
export const BOX_WAITING = 0;
/** Words 2 and 3: octets that wait, bodies by reference included, as a 64-bit float. */
export const BOX_BYTES = 2;
/** Size of the ring in octets. */
export const BOX_CAPACITY = 4;
/** Bodies by reference that are neither taken nor released. */
export const BOX_REFERENCES = 5;
/** Address of the ring. */
export const BOX_RING = 6;
/** Where in the ring the run in flight begins. */
export const BOX_HEAD = 7;

/** The next outbox in the list that publish() answers. */
export const BOX_TOUCHED = 18;
/** Topics that its peer is subscribed to, in each of the two lists. */
export const BOX_TOPICS = 23;
/** Words 26 and 27: messages that were dropped because it was full, as a 64-bit float. */
export const BOX_DROPPED = 26;
/** Word 30: not 0 when its messages are kept elsewhere, and publish() only names it. */
export const BOX_APART = 30;

/** The smallest ring. */
export const RING_MINIMUM = 2048;
/** The largest ring. */
export const RING_LIMIT = 1073741824;

// Topics.

/** The longest topic: with "SUBSCRIBE" before it, it fills a command. */
export const TOPIC_LIMIT = 65526;
/** The longest label of a node, at least TOPIC_LIMIT. */
export const LABEL_LIMIT = 65535;

// A fan-out, in 32-bit words from its address.

/** Words 0 and 1: messages dropped for all its outboxes, as a 64-bit float. */
export const FAN_DROPPED = 0;

/** The list of topics that publish() looks at. */
export const LIST_ACTIVE = 0;
/** The list of topics that peers asked for, where the user decides which become active. */
export const LIST_REQUESTED = 1;

// Answers of fanAdd() and fanRemove().

/** There is no memory for it. */
export const FAN_NO_MEMORY = 0;
/** Nothing changed: the peer had the topic already, or nobody had it. */
export const FAN_SAME = 1;
/** The peer has it now, or no longer; other peers have it. */
export const FAN_ONE = 2;
/** The topic is new, or nobody has it any more. */
export const FAN_TOPIC = 3;
/** Nothing changed: the peer did not have the topic, but others do. */
export const FAN_OTHERS = 4;

// How publish() goes about it; bits.

/** The outboxes that do not match get the message. */
export const PUBLISH_INVERTED = 1;
/** Nobody gets the message when one of the matching outboxes is full. */
export const PUBLISH_ALL_OR_NONE = 2;
/** Every outbox that got the message is in the list, not only those that have to be looked at. */
export const PUBLISH_NAME_ALL = 4;
/** Only the list is made; the caller appends. */
export const PUBLISH_MATCH_ONLY = 8;

/** What publish() leaves at RESULTS: the first outbox in the list, 0 for none. */
export const PUBLISH_FIRST = 0;

// CURVE.

/** What a sealed body has more than the plain one: "\x07MESSAGE", a nonce of 8 octets, a tag of 16, and the flags. */
export const CURVE_OVERHEAD = 33;
/** Octets of the keys of one direction: 32 of the key, and the last nonce (received) or the next one (to be sent). */
export const CURVE_KEYS_SIZE = 40;
/** Where in them the nonce is. */
export const CURVE_NONCE = 32;
/** Where the keys of the peer lie while frames are opened in an arena. */
export const CURVE_KEYS = 3584;

// Answers of curveOpen().

/** Every whole frame was opened. */
export const CURVE_DONE = 0;
/** The flags of a MESSAGE are not those of a short or long frame. */
export const CURVE_BAD_FLAGS = 1;
/** It is longer than the limit. */
export const CURVE_BAD_SIZE = 2;
/** It is no MESSAGE command. */
export const CURVE_BAD_NAME = 3;
/** It is too short to be one. */
export const CURVE_TOO_SHORT = 4;
/** Its nonce is not above the last one. */
export const CURVE_BAD_NONCE = 5;
/** It was altered, or sealed with another key. */
export const CURVE_BAD_TAG = 6;
/** The flags inside are unknown. */
export const CURVE_BAD_INNER = 7;

// What curveSeal() and curveOpen() leave at RESULTS, in 32-bit words.

/** Address of the first octet that was not consumed. */
export const CURVE_NEXT = 0;
/** How many octets the frame at CURVE_NEXT has in all; 0 when its header is not complete. */
export const CURVE_NEED = 1;
/** Flags of that frame. */
export const CURVE_FLAGS = 2;
/** Where the plain frames end. */
export const CURVE_END = 3;

// WebSocket frames (RFC 6455, 5.2) that carry ZMTP frames: a flag octet, then the body (RFC 45).

/** The most octets of a control frame. */
export const CONTROL_LIMIT = 125;
/** The octets of a mask key. */
export const MASK_SIZE = 4;
/** The flag octet of a command. */
export const ZWS_COMMAND = 2;
/** Octets of the mask keys that webSocketKeys() asks for at a time. */
export const KEYS_SIZE = 4096;

// How webSocketRead() goes about it; bits.

/** Frames must be masked; otherwise they must not be. */
export const READ_MASKED = 1;
/** Commands are allowed. */
export const READ_COMMANDS = 2;
/** A fragmented message has begun and not ended. */
export const READ_FRAGMENTED = 4;

// Answers of webSocketRead().

/** All was read but the beginning of a header or of a control frame. */
export const READ_DONE = 0;
/** A control frame was reached, whose unmasked payload lies at READ_BODY; call again from READ_NEXT. */
export const READ_CONTROL = 1;
/** A frame of a fragmented message: its payload of READ_SIZE octets, masked with READ_KEY, begins at READ_NEXT. */
export const READ_FRAGMENT = 2;
/** Reserved bits. */
export const READ_BAD_RESERVED = 3;
/** An unknown opcode. */
export const READ_BAD_OPCODE = 4;
/** A control frame that is fragmented or too long. */
export const READ_BAD_CONTROL = 5;
/** A mask where there must be none, or none where there must be one. */
export const READ_BAD_MASK = 6;
/** A length that could be told in fewer octets, or is above 2^63-1. */
export const READ_BAD_LENGTH = 7;
/** A text message. */
export const READ_BAD_TEXT = 8;
/** A message that is too long. */
export const READ_TOO_LONG = 9;
/** A message without a flag octet. */
export const READ_BAD_EMPTY = 10;
/** A flag octet that is unknown, or not allowed. */
export const READ_BAD_FLAG = 11;
/** A continuation of nothing. */
export const READ_BAD_CONTINUATION = 12;
/** A message that begins inside another one. */
export const READ_BAD_START = 13;

// What webSocketRead() and webSocketWrite() leave at RESULTS, in 32-bit words.

/** Address of the first octet that was not consumed; of the frame that has a fault. */
export const READ_NEXT = 0;
/** Octets of the body under way that are still to come. */
export const READ_LEFT = 1;
/** Its mask key, turned to the next octet. */
export const READ_KEY = 2;
/** Where the ZMTP frames end that were made. */
export const READ_END = 3;
/** First octet of a control frame or of a fragment. */
export const READ_FIRST = 4;
/** Size of its payload. */
export const READ_SIZE = 5;
/** Address of the payload of a control frame. */
export const READ_BODY = 6;
/** After webSocketWrite(), 1 when it needs more mask keys. */
export const WRITE_KEYLESS = 3;
