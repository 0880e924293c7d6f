/** What stands below the one heading with this text, up to the next one. */
export function section(page: string, heading: string): string {
  const sections = page.split(/^##+ /m).filter((part) => part.startsWith(`${heading}\n`));
  if (!sections[0] || sections.length > 1) throw new Error(`There should be one section ${heading}`);
  return sections[0];
}

/** The one code block of this language. */
export function block(text: string, language: string): string {
  const [found, ...more] = [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))];
  if (!found?.[1] || more.length > 0) throw new Error(`There should be one block of ${language}`);
  return found[1];
}
