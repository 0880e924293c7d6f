const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Where a value has other fields or types than an example: the paths, none when they are alike. Null stands for anything, and so do lists
 * where one of both is empty.
 */
export function unlike(example: unknown, value: unknown, path = ''): string[] {
  if (example === null || value === null) return [];
  if (Array.isArray(example) && Array.isArray(value)) {
    const [first] = example;
    return first === undefined ? [] : value.flatMap((one, index) => unlike(first, one, `${path}[${index}]`));
  }
  if (isObject(example) && isObject(value)) {
    const names = new Set([...Object.keys(example), ...Object.keys(value)]);
    return [...names].flatMap((name) => unlike(example[name], value[name], `${path}.${name}`));
  }
  return Array.isArray(example) === Array.isArray(value) && typeof example === typeof value ? [] : [path];
}
