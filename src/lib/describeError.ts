/** SQLSTATE class of values that PostgreSQL does not take: its message quotes them. */
const DATA_EXCEPTION = /^22/;

/**
 * What a log says of an error: these fields and no others. What libraries add may hold what people wrote: the statement of a query,
 * its parameters, the row that was in its way. So may the message when PostgreSQL did not take a value.
 */
export function describeError(error: unknown): object {
  if (!(error instanceof Error)) return { type: typeof error };
  const code = codeOf(error);
  return {
    type: error.name,
    message: DATA_EXCEPTION.test(code ?? '') ? 'a value was not taken' : error.message,
    code,
    stack: error.stack
      ?.split('\n')
      .filter((line) => line.startsWith('    at '))
      .join('\n'),
    cause: error.cause === undefined ? undefined : describeError(error.cause),
  };
}

/** The SQLSTATE of a failed query, also as Sequelize wraps it, or the system's word for a failed connection. */
export function codeOf(error: unknown): string | undefined {
  const cause: unknown = error instanceof Error && 'original' in error ? error.original : error;
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined;
}
