import fc from 'fast-check';

/** Names that mean something to JavaScript, to a database, or to a request. */
const NAMES = ['__proto__', 'constructor', 'toString', 'length', 'type', 'params', 'requestId', 'groupName', 'userId', '$gt', '', '0'];

/** Any JSON value, those that are nearly right or too much among them. */
const value = fc.oneof(
  { weight: 4, arbitrary: fc.jsonValue({ maxDepth: 2, stringUnit: 'binary' }) },
  fc.uuid(),
  fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
  { weight: 3, arbitrary: fc.constantFrom('\0', 'text with \0 in it', '\ud800', '%', '\\') },
  fc.constantFrom('9'.repeat(400), 1e308, -0, 'infinity', '0000-01-01T00:00:00.000Z', '9999-12-31T23:59:59.999Z'),
  fc.integer({ min: 1, max: 12_000 }).map((length) => '🙂'.repeat(length)),
  fc.integer({ min: 1, max: 3_000 }).map((depth) => JSON.parse(`${'['.repeat(depth)}${']'.repeat(depth)}`)),
  fc.constant(undefined),
);

/** The object with up to three fields changed, added or left out. */
export function changed(object: object): fc.Arbitrary<object> {
  const own = { weight: 4, arbitrary: fc.constantFrom('__proto__', ...Object.keys(object)) };
  const name = fc.oneof(own, fc.constantFrom(...NAMES));
  return fc.dictionary(name, value, { maxKeys: 3 }).map((changes) => ({ ...object, ...changes }));
}

/** The bytes with some of them taken out, and others put in. */
export function damaged(bytes: Buffer): fc.Arbitrary<Buffer> {
  const cut = fc.tuple(fc.nat(bytes.length), fc.nat(8), fc.oneof(fc.uint8Array({ maxLength: 8 }), fc.constantFrom(...SEPARATORS)));
  return fc
    .array(cut, { minLength: 1, maxLength: 4 })
    .map((cuts) => cuts.reduce((left, [at, length, put]) => Buffer.concat([left.subarray(0, at), put, left.subarray(at + length)]), bytes));
}
const SEPARATORS = ['\r\n', '\n', '\r\n\r\n', ' ', '\0', '"', '{', ']', '\\u', '\xff', ': ', ',', '%', '?', '/..'].map((text) =>
  Buffer.from(text, 'latin1'),
);

/** The bytes as they may arrive: in pieces. */
export function inPieces(bytes: Buffer): fc.Arbitrary<Buffer[]> {
  return fc.array(fc.nat(bytes.length), { maxLength: 3 }).map((places) => {
    const cuts = [0, ...places.toSorted((one, other) => one - other), bytes.length];
    return cuts.slice(1).map((end, index) => bytes.subarray(cuts[index], end));
  });
}
