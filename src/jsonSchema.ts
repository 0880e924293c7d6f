import { z } from 'zod';

/** Formats that say what the long pattern beside them says. */
const SPEAKING_FORMATS = new Set<unknown>(['uuid', 'date-time']);

export type JsonSchema = z.core.JSONSchema.BaseSchema;

/** What a schema takes (`input`) or gives (`output`) when it is JSON, for a description that is published. */
export function jsonSchema(schema: z.ZodType, io: 'input' | 'output', target: 'openapi-3.0' | 'draft-7'): JsonSchema {
  const { $schema, ...described } = z.toJSONSchema(schema, {
    target,
    io,
    unrepresentable: 'any',
    override({ zodSchema, jsonSchema }) {
      // Times are answered as JSON makes them.
      if (zodSchema._zod.def.type === 'date') Object.assign(jsonSchema, { type: 'string', format: 'date-time' });
      if (SPEAKING_FORMATS.has(jsonSchema.format)) delete jsonSchema.pattern;
      // Of a whole number these say nothing.
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      // In OpenAPI 3.0 `nullable` adds nothing to the values that are listed. The list may be that of a schema that is not nullable, too.
      if (jsonSchema.nullable && jsonSchema.enum && !jsonSchema.enum.includes(null)) jsonSchema.enum = [...jsonSchema.enum, null];
      // A later version may send more.
      if (io === 'output' && jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
    },
  });
  return described;
}
