// Blocks of memory in powers of two. A freed block waits in the list of its size; a larger one is halved when the
// lists below are empty. Nothing is merged again: a core holds at most the sum of each size's own peak. Everything the
// allocator knows is in the memory itself, so that a copy of the memory is a working core.

const SMALLEST: u32 = 6; // 64 octets
const PIECE: u32 = 12; // 4096 octets: smaller blocks are halves of such a piece, and none crosses its border
const LARGEST: u32 = 30; // 1 GiB
const PAGE: u32 = 65536;
const LAST: u64 = 0xffff0000;

const lists: usize = memory.data(32 * 4);
/** End of what was handed out; 0 before the first block. */
const top: usize = memory.data(4);
/** Pages that the memory may have; 0 for no limit. */
const pageLimit: usize = memory.data(4);

/** The memory never grows past this many pages: a core whose memory is lent to reads must not move it. */
export function memoryLimit(pages: u32): void {
  store<u32>(pageLimit, pages);
}

function classOf(size: u32): u32 {
  if (size <= 64) return SMALLEST;
  return 32 - clz(size - 1);
}

function pop(index: u32): u32 {
  const slot = lists + (index << 2);
  const block = load<u32>(slot);
  if (block != 0) store<u32>(slot, load<u32>(block));
  return block;
}

function push(index: u32, block: u32): void {
  const slot = lists + (index << 2);
  store<u32>(block, load<u32>(slot));
  store<u32>(slot, block);
}

/** A block of at least `size` octets, or 0 when the memory cannot grow. Up to 4096 octets it is aligned to its size. */
export function alloc(size: u32): u32 {
  const index = classOf(size);
  if (index > LARGEST) return 0;
  let larger = index;
  let block = pop(larger);
  while (block == 0 && larger < LARGEST) block = pop(++larger);
  if (block == 0) {
    larger = max(index, PIECE);
    block = extend(1 << larger);
    if (block == 0) return 0;
  }
  while (larger > index) {
    --larger;
    push(larger, block + (1 << larger));
  }
  return block;
}

function extend(size: u32): u32 {
  const from = load<u32>(top);
  const piece: u32 = 1 << PIECE;
  const start = ((from == 0 ? u32(__heap_base) : from) + piece - 1) & ~(piece - 1);
  const end = u64(start) + u64(size);
  // Addresses stay below 2^32: the end of the memory must not wrap to 0.
  if (end > LAST) return 0;
  const pages = u32((end + (PAGE - 1)) / PAGE);
  const have = u32(memory.size());
  if (pages > have) {
    const limit = load<u32>(pageLimit);
    const most: u32 = limit == 0 ? 65536 : limit;
    if (pages > most) return 0;
    // Some ahead, so that many small blocks do not grow the memory one page at a time.
    const ahead = min(pages + (have >> 3), most);
    if (memory.grow(ahead - have) < 0 && memory.grow(pages - have) < 0) return 0;
  }
  store<u32>(top, u32(end));
  return start;
}

/** Gives a block of `size` octets back. */
export function free(block: u32, size: u32): void {
  push(classOf(size), block);
}
