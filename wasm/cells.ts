// Cells: small blocks in steps of eight octets, for structures of many small parts. Cells of one size share pages of
// 4096 octets; a page whose last cell was freed is a free block again.

import { alloc, free } from "./memory";

const PAGE: u32 = 4096;
const STEP: u32 = 8;
const LARGEST: u32 = 512;

/** At the start of each page. */
@unmanaged
class Page {
  /** Neighbours in the list of pages that have room. */
  previous: u32;
  next: u32;
  /** First freed cell; each holds the address of the next. */
  freed: u32;
  /** Octets of the page that were never handed out begin here. */
  fresh: u32;
  used: u32;
  size: u32;
}

/** For each size, the first page with room. */
const rooms: usize = memory.data(65 * 4);

function pageOf(cell: u32): Page {
  return changetype<Page>(cell & ~(PAGE - 1));
}

function slotOf(size: u32): usize {
  return rooms + ((size / STEP) << 2);
}

function link(page: Page): void {
  const slot = slotOf(page.size);
  const next = load<u32>(slot);
  page.previous = 0;
  page.next = next;
  if (next != 0) changetype<Page>(next).previous = changetype<u32>(page);
  store<u32>(slot, changetype<u32>(page));
}

function unlink(page: Page): void {
  if (page.previous != 0) changetype<Page>(page.previous).next = page.next;
  else store<u32>(slotOf(page.size), page.next);
  if (page.next != 0) changetype<Page>(page.next).previous = page.previous;
}

function hasRoom(page: Page): bool {
  return page.freed != 0 || page.fresh + page.size <= PAGE;
}

/** A cell of at least `size` octets, or 0 when there is no memory. */
export function cellAlloc(size: u32): u32 {
  if (size > LARGEST) return alloc(size);
  const rounded = (max(size, 1) + STEP - 1) & ~(STEP - 1);
  let address = load<u32>(slotOf(rounded));
  if (address == 0) {
    address = alloc(PAGE);
    if (address == 0) return 0;
    const fresh = changetype<Page>(address);
    fresh.freed = 0;
    fresh.fresh = u32(offsetof<Page>());
    fresh.used = 0;
    fresh.size = rounded;
    link(fresh);
  }
  const page = changetype<Page>(address);
  let cell = page.freed;
  if (cell != 0) {
    page.freed = load<u32>(cell);
  } else {
    cell = address + page.fresh;
    page.fresh += rounded;
  }
  ++page.used;
  if (!hasRoom(page)) unlink(page);
  return cell;
}

/** Gives a cell of `size` octets back. */
export function cellFree(cell: u32, size: u32): void {
  if (size > LARGEST) return free(cell, size);
  const page = pageOf(cell);
  const listed = hasRoom(page);
  store<u32>(cell, page.freed);
  page.freed = cell;
  if (--page.used == 0) {
    if (listed) unlink(page);
    free(changetype<u32>(page), PAGE);
  } else if (!listed) {
    link(page);
  }
}

/** How many octets a cell that was asked for with `size` has. */
export function cellRoom(size: u32): u32 {
  if (size > LARGEST) return u32(1) << (32 - clz(size - 1));
  return (max(size, 1) + STEP - 1) & ~(STEP - 1);
}
