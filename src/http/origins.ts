import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import type { Env } from '../env.ts';

/**
 * Whether a browser's origin may call, over HTTP and for the upgrade. No origin means that it is not a browser.
 * A page of this server may, such as its documentation, when it was opened by an IP address or as localhost: any other name may be
 * one of somebody who lets it lead here (DNS rebinding), and then the page is not this server's, though origin and host are alike.
 */
export function isOriginAllowed({ CORS_ORIGINS }: Env, { origin, host }: IncomingHttpHeaders): boolean {
  if (origin === undefined || CORS_ORIGINS.includes('*') || CORS_ORIGINS.includes(origin)) return true;
  if (!URL.canParse(origin)) return false;
  const page = new URL(origin);
  return page.host === host && isUnforgeable(page.hostname);
}

/** Whether nobody can make this name of a host lead somewhere else. */
function isUnforgeable(hostname: string): boolean {
  return hostname === 'localhost' || isIP(hostname.replace(/^\[|\]$/g, '')) !== 0;
}
