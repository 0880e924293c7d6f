import { dump } from 'js-yaml';

/** Writes what JSON can hold as YAML for people to read; what is undefined is left out. */
export const toYaml = (value: unknown): string => dump(value, { skipInvalid: true, noRefs: true, lineWidth: -1 });
