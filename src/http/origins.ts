import type { IncomingHttpHeaders } from 'node:http';
import type { Env } from '../env.ts';

/**
 * Whether a browser's origin may call, over HTTP and for the upgrade. A page of this server may, such as its documentation.
 * No origin means that it is not a browser.
 */
export function isOriginAllowed({ CORS_ORIGINS }: Env, { origin, host }: IncomingHttpHeaders): boolean {
  if (origin === undefined || CORS_ORIGINS.includes('*') || CORS_ORIGINS.includes(origin)) return true;
  return URL.canParse(origin) && new URL(origin).host === host;
}
