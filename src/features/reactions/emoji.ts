import { z } from 'zod';

/** Code points, of two UTF-16 units at most; the longest that people use have a third of it. */
const MAX_LENGTH = 32;

/** A picture, with what changes its skin, look or flag: 👍, 👍🏽, ❤️, 🏴󠁧󠁢󠁷󠁬󠁳󠁿. */
const PICTURE = '\\p{Extended_Pictographic}\\p{Emoji_Modifier}?\\uFE0F?(?:[\\u{E0020}-\\u{E007E}]+\\u{E007F})?';
/** A picture, several that are joined to one, a flag of two letters, or a key: 👩‍🚀, 🇫🇷, 1️⃣. All that matches is one grapheme. */
const EMOJI = new RegExp(`^(?:${PICTURE}(?:\\u200D${PICTURE})*|\\p{Regional_Indicator}{2}|[0-9#*]\\uFE0F?\\u20E3)$`, 'u');

/** What people react with. */
export const emoji = z
  .string()
  .max(MAX_LENGTH, { error: `must be at most ${MAX_LENGTH} characters long`, abort: true })
  .refine((text) => EMOJI.test(text), 'must be one emoji')
  .describe('One emoji');
