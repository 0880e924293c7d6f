import { tables } from './0001-tables.ts';
import { writeMessages } from './0002-write-messages.ts';
import { fasterWriteMessages } from './0003-faster-write-messages.ts';
import { readIndexes } from './0004-read-indexes.ts';
import { writeToDialogs } from './0005-write-to-dialogs.ts';
import { readingAndAnswering } from './0006-reading-and-answering.ts';
import { messageSearch } from './0007-message-search.ts';
import { answersBeginNothing } from './0008-answers-begin-nothing.ts';
import { oneFormOfAnEmoji } from './0009-one-form-of-an-emoji.ts';
import { shortSearchTerms } from './0010-short-search-terms.ts';

/** Every migration, oldest first. What has been released is never edited: add another. */
export const migrations = [
  tables,
  writeMessages,
  fasterWriteMessages,
  readIndexes,
  writeToDialogs,
  readingAndAnswering,
  messageSearch,
  answersBeginNothing,
  oneFormOfAnEmoji,
  shortSearchTerms,
];
