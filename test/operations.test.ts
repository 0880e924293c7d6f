import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { ERRORS } from '../src/errors.ts';
import { section } from './support/markdown.ts';

const page = await readFile('docs/operations.md', 'utf8');

/** What stands in backquotes in the first cells of a table's rows. */
function firstCells(text: string): string[] {
  return [...text.matchAll(/^\|([^|]+)\|/gm)].flatMap(([, cell = '']) => [...cell.matchAll(/`(\w+)`/g)].map(([, name = '']) => name));
}

test('docs/operations.md says of every error code once what it means for the operator', () => {
  const codes = firstCells(section(page, 'Error codes'));
  expect(new Set(codes)).toEqual(new Set(Object.keys(ERRORS)));
  expect(codes).toHaveLength(new Set(codes).size);
});
