import { setImmediate as nextTurn } from 'node:timers/promises';
import { z } from 'zod';
import { fold } from '../../db/searchText.ts';

/** A piece of a message in which a search found its words: joined, the parts are the piece. Plain text, to be shown as such. */
export const excerpt = z
  .array(z.object({ text: z.string(), isMatch: z.boolean().describe('Whether this part was searched for') }))
  .describe('The passage that was found, in parts. Plain text, to be shown as such');
type Excerpt = z.output<typeof excerpt>;

/** Characters of a message that are searched, as its index has them. */
const SEARCHED = /^.{0,10000}/su;
/** After so many milliseconds others are served. One message may take as long again. */
const SLICE = 5;
/** Characters of an excerpt. */
const LENGTH = 160;
/** Characters before the first word that was found. */
const BEFORE = 40;
/** Stands where the message goes on. */
const CUT = '…';

/** Of a longer word only the beginning is compared: marks of several kinds on one letter take a time to fold that grows with their square. */
const COMPARED = 256;

const WORD = /[\p{L}\p{N}\p{M}]+/gu;
const ASCII = /^\w+$/;

/** What words are compared by. Most are short and ASCII, and there may be a hundred thousand of them in a page. */
const keyOf = (word: string): string => (ASCII.test(word) ? word.toUpperCase() : fold(word.slice(0, COMPARED)));

/** Excerpts of messages that were found by `text`. There may be a million characters to look through: others are served meanwhile. */
export async function excerptsOf(contents: string[], text: string): Promise<Excerpt[]> {
  const isMatch = matcherOf(text);
  const excerpts: Excerpt[] = [];
  let begunAt = performance.now();
  for (const content of contents) {
    if (performance.now() - begunAt > SLICE) {
      await nextTurn();
      begunAt = performance.now();
    }
    excerpts.push(excerptOf(content, isMatch));
  }
  return excerpts;
}

/** Tells whether a word of a message is one of those that are searched for, the last one of which is the beginning of a word. */
function matcherOf(text: string): (word: string) => boolean {
  const words = (text.match(WORD) ?? []).map(keyOf);
  const beginning = words.at(-1);
  if (beginning === undefined) return () => false;
  const whole = new Set(words);
  return (word) => {
    const key = keyOf(word);
    return whole.has(key) || key.startsWith(beginning);
  };
}

/**
 * The part of a message around the first word that was found, with all in it marked. Nothing is marked, and it is the beginning of the
 * message, where the database takes two spellings for one and this does not.
 */
function excerptOf(content: string, isMatch: (word: string) => boolean): Excerpt {
  let start = 0;
  const matches: [from: number, to: number][] = [];
  const [searched = ''] = content.match(SEARCHED) ?? [];
  for (const { 0: word, index } of searched.matchAll(WORD)) {
    if (matches.length > 0 && index >= start + LENGTH) break;
    if (!isMatch(word)) continue;
    if (matches.length === 0) start = whole(content, Math.max(0, index - BEFORE));
    matches.push([index, index + word.length]);
  }
  return partsOf(content, start, whole(content, Math.min(content.length, start + LENGTH)), matches);
}

/** The same place, or the one before where it is inside a character. */
const whole = (content: string, place: number): number => ((content.codePointAt(place - 1) ?? 0) > 0xffff ? place - 1 : place);

function partsOf(content: string, start: number, end: number, matches: [from: number, to: number][]): Excerpt {
  const parts: Excerpt = [];
  let place = start;
  for (const [from, to] of matches) {
    parts.push({ text: content.slice(place, from), isMatch: false });
    place = Math.min(to, end);
    parts.push({ text: content.slice(from, place), isMatch: true });
  }
  parts.push({ text: content.slice(place, end), isMatch: false });
  if (start > 0) parts.unshift({ text: CUT, isMatch: false });
  if (end < content.length) parts.push({ text: CUT, isMatch: false });
  return joined(parts.filter(({ text }) => text !== ''));
}

/** One part where several of one kind follow one another. */
function joined(parts: Excerpt): Excerpt {
  const result: Excerpt = [];
  for (const part of parts) {
    const last = result.at(-1);
    if (last?.isMatch === part.isMatch) last.text += part.text;
    else result.push(part);
  }
  return result;
}
