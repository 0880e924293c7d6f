/**
 * Makes texts comparable whatever their case, script or accents: `Ё`, `ё` and `е` are one, so are `É` and `e`, `İ` and `i`.
 * Done here and not by the database, so that it does not depend on the database's locale.
 */
export function fold(text: string): string {
  return text
    .normalize('NFKD')
    .toLowerCase()
    .toUpperCase()
    .replace(/[\u0300-\u036f]/g, '')
    .normalize('NFC')
    .replace(/\s+/g, ' ')
    .trim();
}

/** Folded fields, each on a line of its own, so that one LIKE can tell a whole field from its beginning and its middle. */
export function searchTextOf(fields: (string | null)[]): string {
  return `\n${fields.flatMap((field) => (field ? [fold(field)] : [])).join('\n')}\n`;
}
