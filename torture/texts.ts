import type { Random } from './random.ts';

/** Quotes, escapes, other scripts and an emoji: 40 UTF-16 units. */
const FILLER = 'Hello "there"\\n, Здравствуй, 你好, İé \t 😀.';
/** The longest that one client writes, a little below what the server takes. */
const LONGEST = 9_900;

/** What a message says: mostly little, at times a lot. */
export function someText(random: Random): string {
  const kind = random.integer(1, 100);
  return textOfLength(random.integer(1, kind <= 85 ? 120 : kind <= 98 ? 1_500 : LONGEST));
}

/** Takes the most room on its way: four bytes a character. */
export const LONGEST_TEXT = '😀'.repeat(LONGEST);

function textOfLength(length: number): string {
  return FILLER.repeat(Math.ceil(length / FILLER.length))
    .slice(0, length)
    .toWellFormed();
}
