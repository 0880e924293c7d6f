import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { toYaml } from '../src/lib/yaml.ts';

test('What is written as YAML is read as what JSON would have held', () => {
  const values = fc.jsonValue({ maxDepth: 5, stringUnit: 'binary' });
  const check = fc.property(values, (value) => {
    expect(parse(toYaml(value))).toEqual(JSON.parse(JSON.stringify(value)));
  });
  fc.assert(check);
});

/** What some reader of YAML takes, without quotes, for something else than a text. */
const WORDS = `true Null no ON y ~ 1 0x10 1e1 .5 1:30 2026-01-31 2026-01-31T12:00:00.000Z - # #a &a *a !a | > %a @a "a" 'a' {} [] << = ? ---`;
const TEXTS = [
  ...WORDS.split(' '),
  '',
  ' a',
  'a ',
  '- a',
  'a: b',
  'a #b',
  '`a`',
  'two\nlines',
  'a\t',
  'a\\',
  '👍',
  '$ref',
  '/api/{groupId}',
];

test('Texts stay texts, also for readers of older versions of YAML', () => {
  const value = { values: TEXTS, keys: Object.fromEntries(TEXTS.map((text) => [text, text])) };
  for (const version of ['1.1', '1.2'] as const) expect(parse(toYaml(value), { version })).toEqual(value);
});

test('It is laid out for people: lists and objects below one another, and no quotes where none are needed', () => {
  const value = { type: 'object', required: ['a', 'b'], list: [{ in: 'path', deep: [[1], []] }], none: {}, text: 'It is so' };
  expect(toYaml(value)).toBe(`type: object
required:
  - a
  - b
list:
  - in: path
    deep:
      - - 1
      - []
none: {}
text: "It is so"
`);
});
