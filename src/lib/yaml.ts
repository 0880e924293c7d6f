/** A text that no reader of YAML takes for something else when it stands without quotes. Older ones take `on` and `y` for true. */
const PLAIN = /^(?!(?:true|false|null|yes|no|on|off|y|n)$)[a-z$][\w$-]*$/i;

/** Writes what JSON can hold as YAML for people to read. A package takes a hundred times as long, and the server would start that much later. */
export function toYaml(value: unknown): string {
  return `${linesOf(JSON.parse(JSON.stringify(value))).join('\n')}\n`;
}

function linesOf(value: unknown): string[] {
  if (!hasParts(value)) return [scalar(value)];
  if (Array.isArray(value)) return value.flatMap((part) => linesOf(part).map((line, index) => `${index === 0 ? '- ' : '  '}${line}`));
  return Object.entries(value).flatMap(([key, part]) => {
    const lines = linesOf(part);
    return hasParts(part) ? [`${scalar(key)}:`, ...lines.map((line) => `  ${line}`)] : [`${scalar(key)}: ${lines.join()}`];
  });
}

const hasParts = (value: unknown): value is object => typeof value === 'object' && value !== null && Object.keys(value).length > 0;

/** As JSON writes it, which is YAML too. */
const scalar = (value: unknown): string => (typeof value === 'string' && PLAIN.test(value) ? value : JSON.stringify(value));
