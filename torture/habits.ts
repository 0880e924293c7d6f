import type { Conversation } from './history.ts';
import type { Random } from './random.ts';
import { someText } from './texts.ts';

/** What somebody does next. */
interface Deed {
  /** After so many milliseconds. */
  pause: number;
  conversation: Conversation;
  /** What to write there. */
  texts: string[];
  /** Whether that answers what was said there. */
  isAnswer: boolean;
  /** From 1 to 100, to choose what else to do. */
  chance: number;
}

/** Writes steadily, and in bursts. */
export function nextDeed(random: Random, conversations: Conversation[]): Deed {
  const pause = random.integer(50, 800);
  const chance = random.integer(1, 100);
  const conversation = random.pick(conversations);
  const count = chance <= 4 ? random.integer(20, 80) : 1;
  const texts = Array.from({ length: count }, () => someText(random));
  return { pause, conversation, texts, isAnswer: random.chance(15), chance };
}
