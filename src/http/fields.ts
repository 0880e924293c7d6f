import type { JsonSchema } from '../jsonSchema.ts';

/** A field of what a schema describes, for people to read. */
export interface Field {
  /** From the outside in: `chats[].messageId`. */
  path: string;
  type: string;
  isRequired: boolean;
  /** What it means, where that needs words. */
  meaning: string;
}

/** What a schema describes, in a few words. */
function typeOf(schema: JsonSchema): string {
  const { anyOf, type, format, items } = schema;
  if (anyOf) return [...new Set(anyOf.map(typeOf))].join(' or ');
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(' or ');
  if (Array.isArray(type)) return type.map((one) => typeOf({ ...schema, type: one })).join(' or ');
  if (type === 'string')
    return format === 'uuid' ? 'id' : format === 'date-time' ? 'time' : `text${range(schema.minLength, schema.maxLength)}`;
  if (type === 'integer') return `whole number${range(schema.minimum, schema.maximum)}`;
  if (type === 'array') return `list${range(schema.minItems, schema.maxItems)} of ${isSchema(items) ? typeOf(items) : 'anything'}`;
  return type ?? 'anything';
}

/** What a schema says of itself, or of what it may be beside null. */
const meaningOf = ({ description, anyOf = [] }: JsonSchema): string => description ?? anyOf.map(meaningOf).join('');

function range(least: number | undefined, most: number | undefined): string {
  if (least !== undefined && most !== undefined) return ` (${least} to ${most})`;
  if (most !== undefined) return ` (at most ${most})`;
  return least === undefined ? '' : ` (at least ${least})`;
}

/** All fields of what a schema describes, those inside others too. What only some alternatives have is not required. */
export function fieldsOf(schema: JsonSchema, prefix = ''): Field[] {
  const { anyOf, items, properties = {}, required = [] } = schema;
  if (anyOf) return merged(anyOf.filter(({ type }) => type !== 'null').map((one) => fieldsOf(one, prefix)));
  if (isSchema(items)) return fieldsOf(items, `${prefix}[]`);
  return Object.entries(properties).flatMap(([name, property]) => {
    if (!isSchema(property)) return [];
    const path = prefix === '' ? name : `${prefix}.${name}`;
    const field = { path, type: typeOf(property), isRequired: required.includes(name), meaning: meaningOf(property) };
    return [field, ...fieldsOf(property, path)];
  });
}

function merged(alternatives: Field[][]): Field[] {
  const fields = new Map<string, Field>();
  for (const field of alternatives.flat()) {
    const known = fields.get(field.path);
    const type = known && known.type !== field.type ? `${known.type} or ${field.type}` : field.type;
    const isRequired = alternatives.every((one) => one.some(({ path, isRequired }) => path === field.path && isRequired));
    fields.set(field.path, { ...field, type, isRequired });
  }
  return [...fields.values()];
}

/** The schema of a property inside a schema of objects. */
export function propertyOf(schema: JsonSchema, ...names: string[]): JsonSchema {
  const [name, ...rest] = names;
  if (name === undefined) return schema;
  const property = schema.properties?.[name];
  if (!isSchema(property)) throw new Error(`there is no property ${name}`);
  return propertyOf(property, ...rest);
}

const isSchema = (value: JsonSchema['items'] | boolean): value is JsonSchema => typeof value === 'object' && !Array.isArray(value);
