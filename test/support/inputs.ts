import fc from 'fast-check';
import { REST_PATHS, requestOf } from './contract.ts';
import type { TestUser } from './http.ts';
import { changed, damaged, inPieces } from './mutations.ts';
import { REQUESTS, type Scene } from './scene.ts';

/** Texts of frames: valid requests of each type, changed in their parts, damaged as text, or none at all. */
export function frames(scene: Scene): fc.Arbitrary<string> {
  const valid = fc.constantFrom(...Object.entries(REQUESTS)).map(([type, params]) => ({ type, params: params(scene) }));
  const request = fc.oneof(
    { weight: 4, arbitrary: valid.chain(({ type, params }) => changed(params).map((params) => ({ type, params }))) },
    valid.chain((request) => changed(request)),
    valid,
  );
  return fc.oneof(
    { weight: 6, arbitrary: request.map((request) => JSON.stringify(request)) },
    { weight: 2, arbitrary: request.chain((request) => damaged(Buffer.from(JSON.stringify(request)))).map(String) },
    fc.json({ stringUnit: 'binary' }),
    fc.string({ unit: 'binary' }),
  );
}

const headers = fc.record(
  {
    authorization: fc.constantFrom('', 'Bearer', 'Bearer x', 'Basic eDp5', 'Bearer a.b.c'),
    'content-type': fc.constantFrom('', 'text/plain', 'application/json; charset=utf-16', 'application/json; charset=x', 'multipart/x'),
    'content-encoding': fc.constantFrom('gzip', 'deflate', 'br', 'x'),
    origin: fc.constantFrom('null', 'https://evil.example', '\xff'),
  },
  { requiredKeys: [] },
);

/** Requests for every REST path, with something wrong in the method, path, query, body or headers of most. */
export function httpRequests(user: TestUser, groupId: string) {
  return fc.constantFrom(...REST_PATHS).chain((rest) => {
    const { path, body } = requestOf(rest, user, groupId);
    const [address = '', query = ''] = path.split('?');
    const valid = typeof body === 'object' && body ? body : {};
    const asText = damaged(Buffer.from(query)).map((bytes) => encodeURI(bytes.toString('latin1')));
    return fc.record({
      method: fc.oneof({ weight: 5, arbitrary: fc.constant(rest.method) }, fc.constantFrom('PUT', 'POST', 'DELETE')),
      path: fc.oneof(
        { weight: 5, arbitrary: fc.constant(address) },
        fc.webPath().map((end) => address + end),
      ),
      query: fc.oneof(fc.constant(query), fc.webQueryParameters(), asText),
      body: fc.oneof(
        changed(valid).map((value) => JSON.stringify(value)),
        damaged(Buffer.from(JSON.stringify(valid))).map(String),
        fc.json(),
      ),
      headers,
    });
  });
}

/** The bytes that ask for a WebSocket. */
export const handshake = (token: string): Buffer =>
  Buffer.from(
    `GET /api/ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n` +
      `Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: Bearer ${token}\r\n\r\n`,
  );

/** Damaged requests as bytes: all of it in pieces, or a whole head (`opening`) and what follows when it has been answered. */
export function heads(token: string): fc.Arbitrary<{ pieces: Buffer[]; opening: Buffer | undefined }> {
  const login = 'POST /api/auth/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n';
  const requests = [
    `GET /api/profile HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\nContent-Length: 2\r\n\r\n{}`,
    `${login}Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`,
    `${login}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\n{}`,
    'OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n',
  ].map((text) => Buffer.from(text));
  const head = fc.constantFrom(handshake(token), ...requests).chain((bytes) => damaged(bytes));
  const whole = head.map((bytes) => Buffer.concat([bytes, Buffer.from('\r\n\r\n')]));
  return fc.oneof(
    head.chain(inPieces).map((pieces) => ({ pieces, opening: undefined })),
    fc.tuple(whole, head).map(([opening, more]) => ({ pieces: [more], opening })),
  );
}
