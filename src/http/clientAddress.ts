import type { IncomingMessage } from 'node:http';
import ipaddr from 'ipaddr.js';
import proxyAddr from 'proxy-addr';
import type { Env } from '../env.ts';

/** Groups of 16 bits by which an IPv6 address counts: whoever has one address has all of its /64. */
const GROUPS = 4;

/** Tells by what address the client of a request, or of an upgrade, counts. */
export type ClientAddress = (request: IncomingMessage) => string;

/**
 * The address is that of the peer, or what the proxies of TRUST_PROXY say that they serve; what stands before that in
 * `X-Forwarded-For` may be forged. IPv6 counts by its /64, and IPv4 that is written as IPv6 as IPv4.
 */
export function clientAddress({ TRUST_PROXY }: Env): ClientAddress {
  const isTrusted = typeof TRUST_PROXY === 'number' ? (_address: string, hop: number) => hop < TRUST_PROXY : proxyAddr.compile(TRUST_PROXY);
  return (request) => {
    const peer = request.socket.remoteAddress ?? '';
    const address = proxyAddr(request, isTrusted);
    // A proxy that writes something else than an address there would else give each request a new one.
    return networkOf(ipaddr.isValid(address) ? address : peer);
  };
}

function networkOf(text: string): string {
  if (!ipaddr.isValid(text)) return text;
  const address = ipaddr.process(text);
  return address instanceof ipaddr.IPv6 ? address.parts.slice(0, GROUPS).join(':') : address.toString();
}
