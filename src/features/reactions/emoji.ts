import { z } from 'zod';

/** Code points, of two UTF-16 units at most; the longest that people use have a third of it. */
const MAX_LENGTH = 32;

/** A picture, with what changes its skin, look or flag: 👍, 👍🏽, ❤️, 🏴󠁧󠁢󠁷󠁬󠁳󠁿. */
const PICTURE = '\\p{Extended_Pictographic}\\p{Emoji_Modifier}?\\uFE0F?(?:[\\u{E0020}-\\u{E007E}]+\\u{E007F})?';
/** A picture, several that are joined to one, a flag of two letters, or a key: 👩‍🚀, 🇫🇷, 1️⃣. All that matches is one grapheme. */
const EMOJI = new RegExp(`^(?:${PICTURE}(?:\\u200D${PICTURE})*|\\p{Regional_Indicator}{2}|[0-9#*]\\uFE0F?\\u20E3)$`, 'u');

/** What would be shown as text, as ❤ is: U+FE0F behind it makes it a picture, unless a colour of skin does. */
const TEXT = /(?!\p{Emoji_Presentation})\p{Emoji}(?!\p{Emoji_Modifier})/gu;

/** One form of what people see as one emoji: with U+FE0F wherever Unicode's list of emojis has it, and nowhere else. */
const qualified = (text: string) => text.replaceAll('\uFE0F', '').replace(TEXT, '$&\uFE0F');

/** What people react with. */
export const emoji = z
  .string()
  .refine((text) => EMOJI.test(text), { error: 'must be one emoji', abort: true })
  .overwrite(qualified)
  .max(MAX_LENGTH, `must be at most ${MAX_LENGTH} characters long`)
  .describe('One emoji. ❤ is kept as ❤️: with U+FE0F wherever Unicode recommends it');
