// A trie of octet strings with compressed paths: a node stands for the string that the labels from the root to it make,
// and keeps one word for whoever uses the trie. A node without a word has at least two children, but for the root. Nothing
// here recurses: a peer chooses how deep it goes.

import { cellAlloc, cellFree, cellRoom } from "./cells";
import { LABEL_LIMIT } from "./layout";

@unmanaged
export class Node {
  parent: u32;
  /** What the user of the trie keeps here; 0 for nothing. */
  value: u32;
  /** Another word of the user's, that needs no other memory to be looked at. */
  extra: u32;
  /** Address of the table of children; 0 when there are none. */
  table: u32;
  labelSize: u16;
  /** Octets that the label may grow to in this cell. */
  labelRoom: u16;
  children: u16;
  tableRoom: u16;
}

@unmanaged
export class Trie {
  root: u32;
  /** Nodes with a value. */
  topics: u32;
  /** At least as long as every topic that was ever in it. */
  longest: u32;
  /** 1 when values are lists of entries whose first word is their node. */
  listed: u32;
}

/** An entry of a listed value, as far as the trie knows it. */
@unmanaged
class Listed {
  node: u32;
  next: u32;
}

/** Children above this number are found by index. */
const INDEXED: u32 = 256;
const LARGEST_SEARCHED: u32 = 64;

function headerSize(): u32 {
  return u32(offsetof<Node>());
}

export function at(node: u32): Node {
  return changetype<Node>(node);
}

function labelOf(node: u32): u32 {
  return node + headerSize();
}

function newNode(parent: u32, label: u32, size: u32, room: u32): u32 {
  const wanted = headerSize() + room;
  const cell = cellAlloc(wanted);
  if (cell == 0) return 0;
  const node = at(cell);
  node.parent = parent;
  node.value = 0;
  node.extra = 0;
  node.table = 0;
  node.labelSize = u16(size);
  node.labelRoom = u16(min(cellRoom(wanted) - headerSize(), u32(LABEL_LIMIT)));
  node.children = 0;
  node.tableRoom = 0;
  memory.copy(labelOf(cell), label, size);
  return cell;
}

function freeNode(node: u32): void {
  freeTable(at(node));
  cellFree(node, headerSize() + at(node).labelRoom);
}

// Tables of children: first the octets they begin with, then their addresses; or 256 addresses.

function tableSize(room: u32): u32 {
  return room == INDEXED ? INDEXED << 2 : room * 5;
}

function freeTable(node: Node): void {
  if (node.table != 0) cellFree(node.table, tableSize(node.tableRoom));
  node.table = 0;
}

/** Address of the word that points to the child that begins with `octet`; 0 when there is none. */
function slotOf(node: Node, octet: u32): u32 {
  const table = node.table;
  const room: u32 = node.tableRoom;
  if (table == 0) return 0;
  if (room == INDEXED) {
    const slot = table + (octet << 2);
    return load<u32>(slot) == 0 ? 0 : slot;
  }
  const children: u32 = node.children;
  const wanted = i8x16.splat(i8(octet));
  for (let i: u32 = 0; i < children; i += 16) {
    let found: u32 = i8x16.bitmask(i8x16.eq(v128.load(table + i), wanted));
    if (children - i < 16) found &= (1 << (children - i)) - 1;
    if (found != 0) return table + room + ((i + ctz(found)) << 2);
  }
  return 0;
}

/** Moves the children to a table for `room` of them; false when there is no memory. */
function resizeTable(node: Node, room: u32): bool {
  const table = cellAlloc(tableSize(room));
  if (table == 0) return false;
  if (room == INDEXED) memory.fill(table, 0, INDEXED << 2);
  let count: u32 = 0;
  for (let child = firstChild(node); child != 0; child = siblingOf(node, child)) {
    put(table, room, count++, child);
  }
  freeTable(node);
  node.table = table;
  node.tableRoom = u16(room);
  return true;
}

function put(table: u32, room: u32, index: u32, child: u32): void {
  const octet = load<u8>(labelOf(child));
  if (room == INDEXED) return store<u32>(table + (u32(octet) << 2), child);
  store<u8>(table + index, octet);
  store<u32>(table + room + (index << 2), child);
}

function addChild(node: Node, child: u32): bool {
  const children: u32 = node.children;
  const room: u32 = node.tableRoom;
  if (node.table == 0) {
    if (!resizeTable(node, 4)) return false;
  } else if (children == room && room != INDEXED) {
    if (!resizeTable(node, room == LARGEST_SEARCHED ? INDEXED : room << 1)) return false;
  }
  put(node.table, node.tableRoom, children, child);
  ++node.children;
  return true;
}

function removeChild(node: Node, child: u32): void {
  const slot = slotOf(node, load<u8>(labelOf(child)));
  const children: u32 = node.children - 1;
  node.children = u16(children);
  if (children == 0) return freeTable(node);
  const room: u32 = node.tableRoom;
  if (room == INDEXED) {
    store<u32>(slot, 0);
  } else {
    const table = node.table;
    const index = (slot - table - room) >> 2;
    put(table, room, index, load<u32>(table + room + (children << 2)));
  }
  if (children > room >> 2 || room == 4) return;
  resizeTable(node, room == INDEXED ? LARGEST_SEARCHED : room >> 1);
}

function nextIndexed(table: u32, index: u32): u32 {
  for (; index < INDEXED; ++index) {
    const child = load<u32>(table + (index << 2));
    if (child != 0) return child;
  }
  return 0;
}

function firstChild(node: Node): u32 {
  if (node.children == 0) return 0;
  const room: u32 = node.tableRoom;
  return room == INDEXED ? nextIndexed(node.table, 0) : load<u32>(node.table + room);
}

function siblingOf(node: Node, child: u32): u32 {
  const octet: u32 = load<u8>(labelOf(child));
  if (node.tableRoom == u16(INDEXED)) return nextIndexed(node.table, octet + 1);
  const next = slotOf(node, octet) + 4;
  const end = node.table + node.tableRoom + (u32(node.children) << 2);
  return next < end ? load<u32>(next) : 0;
}

// Walking

/** How many octets two strings have in common at their start. */
function common(a: u32, b: u32, size: u32): u32 {
  let i: u32 = 0;
  while (i + 8 <= size && load<u64>(a + i) == load<u64>(b + i)) i += 8;
  while (i < size && load<u8>(a + i) == load<u8>(b + i)) ++i;
  return i;
}

/** The child of `node` whose label the octets from `key` to `end` begin with; 0 when there is none. */
export function step(node: u32, key: u32, end: u32): u32 {
  if (key == end) return 0;
  const slot = slotOf(at(node), load<u8>(key));
  if (slot == 0) return 0;
  const child = load<u32>(slot);
  const size: u32 = at(child).labelSize;
  if (end - key < size) return 0;
  return size == 1 || common(labelOf(child) + 1, key + 1, size - 1) == size - 1 ? child : 0;
}

export function open(trie: u32): Trie {
  return changetype<Trie>(trie);
}

export function trieNew(listed: u32): u32 {
  const size = u32(offsetof<Trie>());
  const trie = cellAlloc(size);
  if (trie == 0) return 0;
  memory.fill(trie, 0, size);
  const root = newNode(0, trie, 0, 0);
  if (root == 0) {
    cellFree(trie, size);
    return 0;
  }
  open(trie).root = root;
  open(trie).listed = listed;
  return trie;
}

/** Gives all memory of a trie back. Values are not looked at. */
export function trieFree(trie: u32): void {
  let node = open(trie).root;
  while (node != 0) {
    const child = firstChild(at(node));
    if (child != 0) {
      node = child;
      continue;
    }
    const parent = at(node).parent;
    if (parent != 0) removeChild(at(parent), node);
    freeNode(node);
    node = parent;
  }
  cellFree(trie, u32(offsetof<Trie>()));
}

/** The node of a key; 0 when there is none. */
export function find(trie: u32, key: u32, size: u32): u32 {
  const end = key + size;
  let node = open(trie).root;
  while (node != 0 && key != end) {
    node = step(node, key, end);
    if (node != 0) key += at(node).labelSize;
  }
  return node;
}

/** The node of a key, made if need be; 0 when there is no memory, and nothing has changed then. */
export function insert(trie: u32, key: u32, size: u32): u32 {
  const t = open(trie);
  const end = key + size;
  let node = t.root;
  while (key != end) {
    const slot = slotOf(at(node), load<u8>(key));
    if (slot == 0) {
      const leaf = newNode(node, key, end - key, end - key);
      if (leaf != 0 && addChild(at(node), leaf)) {
        node = leaf;
        break;
      }
      if (leaf != 0) freeNode(leaf);
      prune(trie, node);
      return 0;
    }
    const child = load<u32>(slot);
    const labelSize: u32 = at(child).labelSize;
    const same = common(labelOf(child), key, min(labelSize, end - key));
    node = same == labelSize ? child : split(node, slot, child, same);
    if (node == 0) return 0;
    key += same;
  }
  if (size > t.longest) t.longest = size;
  return node;
}

/** Puts a node between `node` and its `child`, which keeps the label from `size` on. */
function split(node: u32, slot: u32, child: u32, size: u32): u32 {
  const label = labelOf(child);
  const upper = newNode(node, label, size, size);
  if (upper == 0) return 0;
  const rest = u32(at(child).labelSize) - size;
  memory.copy(label, label + size, rest);
  if (!addChild(at(upper), child)) {
    memory.copy(label + size, label, rest);
    memory.copy(label, labelOf(upper), size);
    freeNode(upper);
    return 0;
  }
  at(child).labelSize = u16(rest);
  at(child).parent = upper;
  store<u32>(slot, upper);
  return upper;
}

/** Removes a node without a value as far as nothing needs it, and its parents likewise. */
export function prune(trie: u32, node: u32): void {
  for (;;) {
    const parent = at(node).parent;
    const children = at(node).children;
    if (at(node).value != 0 || parent == 0) return;
    if (children == 1) return merge(trie, node);
    if (children != 0) return;
    removeChild(at(parent), node);
    freeNode(node);
    node = parent;
  }
}

/** Joins a node with its only child; without memory for that it stays. */
function merge(trie: u32, node: u32): void {
  const upper = at(node);
  const slot = slotOf(at(upper.parent), load<u8>(labelOf(node)));
  let child = firstChild(upper);
  const head: u32 = upper.labelSize;
  const tail: u32 = at(child).labelSize;
  if (head + tail > u32(at(child).labelRoom)) {
    child = enlarge(trie, child, head + tail);
    if (child == 0) return;
  }
  const label = labelOf(child);
  memory.copy(label + head, label, tail);
  memory.copy(label, labelOf(node), head);
  at(child).labelSize = u16(head + tail);
  at(child).parent = upper.parent;
  store<u32>(slot, child);
  freeNode(node);
}

/** Moves a node to a cell with room for a longer label. Its parent does not know it yet. */
function enlarge(trie: u32, old: u32, room: u32): u32 {
  const from = at(old);
  const node = newNode(from.parent, labelOf(old), from.labelSize, room);
  if (node == 0) return 0;
  const to = at(node);
  to.value = from.value;
  to.extra = from.extra;
  to.table = from.table;
  to.children = from.children;
  to.tableRoom = from.tableRoom;
  for (let child = firstChild(to); child != 0; child = siblingOf(to, child)) {
    at(child).parent = node;
  }
  if (open(trie).listed != 0) {
    for (let entry = to.value; entry != 0; entry = changetype<Listed>(entry).next) {
      changetype<Listed>(entry).node = node;
    }
  }
  from.table = 0;
  freeNode(old);
  return node;
}

/** The node after `node` in the order parent, then children; 0 after the last. */
function after(root: u32, node: u32): u32 {
  let next = firstChild(at(node));
  while (next == 0 && node != root) {
    const parent = at(node).parent;
    next = siblingOf(at(parent), node);
    node = parent;
  }
  return next;
}

/** The next node with a value, in any order, as long as the trie does not change; 0 begins and ends. */
export function following(trie: u32, node: u32): u32 {
  const root = open(trie).root;
  let next = node == 0 ? root : after(root, node);
  while (next != 0 && at(next).value == 0) next = after(root, next);
  return next;
}

/** Writes the key of a node to `out` and answers its size. */
export function keyOf(node: u32, out: u32): u32 {
  let size: u32 = 0;
  for (let n = node; n != 0; n = at(n).parent) size += at(n).labelSize;
  let end = out + size;
  for (let n = node; n != 0; n = at(n).parent) {
    end -= at(n).labelSize;
    memory.copy(end, labelOf(n), at(n).labelSize);
  }
  return size;
}
