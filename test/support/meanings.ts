import { z } from 'zod';

/** Fields that nobody can use who knows no more than their type. */
const OBSCURE = [
  'seq',
  'rev',
  'nextCursor',
  'limit',
  'unreadCount',
  'companionReadSeq',
  'notification',
  'replyTo',
  'replyToId',
  'mine',
  'excerpt',
];

const described = z.looseObject({
  description: z.string().optional(),
  anyOf: z.array(z.looseObject({ description: z.string().optional() })).optional(),
});
const fields = z.object({ properties: z.record(z.string(), described) }).transform(({ properties }) => Object.entries(properties));
const parameter = z
  .looseObject({ in: z.string(), name: z.string() })
  .transform(({ name, ...rest }) => [[name, described.parse(rest)] as const]);
const either = z.union([fields, parameter]);

/** Every field and parameter in a description, by its name, and what is said of its meaning. */
function meaningsIn(value: unknown): { name: string; meaning: string | undefined }[] {
  if (typeof value !== 'object' || value === null) return [];
  const own = either.safeParse(value).data ?? [];
  return [
    ...own.map(([name, { description, anyOf }]) => ({ name, meaning: description ?? anyOf?.find((one) => one.description)?.description })),
    ...Object.values(value).flatMap(meaningsIn),
  ];
}

/** Which of the obscure fields, and of `more`, a description does not explain wherever it names them, or never names. */
export function unexplained(description: unknown, more: string[]): string[] {
  const meanings = meaningsIn(description);
  return [...OBSCURE, ...more].filter((wanted) => {
    const found = meanings.filter(({ name }) => name === wanted);
    return found.length === 0 || found.some(({ meaning }) => meaning === undefined);
  });
}
