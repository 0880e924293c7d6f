import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { RESULTS_DIRECTORY, readCommand } from '../bench/options.ts';
import { textTable, writeIntoReadme } from '../bench/report.ts';
import { results } from '../bench/results.ts';
import { SCENARIOS } from '../bench/scenarios/index.ts';

describe('the benchmark', () => {
  test('wrote the figures that the README shows', async () => {
    const readme = await readFile('README.md', 'utf8');
    const found = results.parse(JSON.parse(await readFile(`${RESULTS_DIRECTORY}/results.json`, 'utf8')));
    expect(writeIntoReadme(readme, found, RESULTS_DIRECTORY)).toBe(readme);
    for (const [, file] of readme.matchAll(/\]\((bench\/[^)]+)\)/g)) expect(await readFile(file ?? '', 'utf8')).toMatch(/^<svg/);
  });

  test('marks a figure that misses what is required of its ratio or of itself', () => {
    const figure = { scenario: 'some', unit: 'p99 ms', value: 50, floor: 20 };
    const isMet = (required: object) => !/\bNO\b/.test(textTable([{ ...figure, ...required }]));
    expect(isMet({})).toBe(true);
    expect(isMet({ required: { atMost: 2.5 } })).toBe(true);
    expect(isMet({ required: { atMost: 2.4 } })).toBe(false);
    expect(isMet({ required: { atLeast: 2.6 } })).toBe(false);
    expect(isMet({ requiredValue: { atMost: 50 } })).toBe(true);
    expect(isMet({ requiredValue: { atMost: 49 } })).toBe(false);
  });

  test('answers a wrong command with what there is', () => {
    for (const args of [
      ['nothing'],
      ['--fast'],
      ['--seconds', 'few'],
      ['--url', 'ws://example.com'],
      ['--database', 'postgres://example.com'],
    ])
      expect(() => readCommand(args)).toThrow([...SCENARIOS.keys()].join(', '));
  });

  test('writes into the README only what a whole run found, unless it is told to', () => {
    expect(readCommand([]).output).toBe(RESULTS_DIRECTORY);
    for (const args of [['private'], ['--quick'], ['--url', 'http://localhost:3001']]) expect(readCommand(args).output).toBeUndefined();
    expect(readCommand(['private', '--output', 'somewhere']).output).toBe('somewhere');
  });
});
