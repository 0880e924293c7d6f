import { readFile } from 'node:fs/promises';
import { CORE_SCHEMA, load, mergeTag } from 'js-yaml';
import { expect, test } from 'vitest';
import { z } from 'zod';

const service = z.looseObject({
  profiles: z.array(z.string()).default([]),
  ports: z.array(z.string()).default([]),
  depends_on: z.union([z.array(z.string()), z.record(z.string(), z.unknown()).transform(Object.keys)]).default([]),
  environment: z.record(z.string(), z.string()).default({}),
});
const proxy = z.object({ networks: z.object({ proxied: z.object({ ipv4_address: z.string() }) }) });

const text = await readFile('docker-compose.yml', 'utf8');
const { services } = z.object({ services: z.record(z.string(), service) }).parse(load(text, { schema: CORE_SCHEMA.withTags(mergeTag) }));
const started = (profile?: string) =>
  Object.entries(services).flatMap(([name, { profiles }]) => (profiles.every((one) => one === profile) ? [name] : []));
const SCALED = ['postgres', 'server', 'server-2', 'redis-url-is-set', 'redis', 'proxy'];

test('docker-compose.yml without a profile starts one server and its database, with the profile two servers, Redis and the proxy', () => {
  expect(started()).toEqual(['postgres', 'server']);
  expect(started('scaled')).toEqual(SCALED);
});

test.each([undefined, 'scaled'])(
  'What docker-compose.yml starts with the profile %s has all it depends on, and no port twice',
  (profile) => {
    const names = started(profile);
    for (const name of names) expect(names).toEqual(expect.arrayContaining(services[name]?.depends_on ?? []));
    const ports = names.flatMap((name) => services[name]?.ports ?? []).map((port) => /^\$\{\w+:-(\d+)\}/.exec(port)?.[1]);
    expect(ports).toEqual([...new Set(ports)]);
  },
);

test('Both servers of docker-compose.yml are in proxy/haproxy.cfg, have one environment, and believe the proxy alone', async () => {
  const config = await readFile('proxy/haproxy.cfg', 'utf8');
  const hosts = [...config.matchAll(/^ {4}server \S+ (\S+):3001$/gm)].map(([, host]) => host);
  expect(hosts).toEqual(['server', 'server-2']);
  expect(services['server-2']?.environment).toEqual(services.server?.environment);
  const address = proxy.parse(services.proxy).networks.proxied.ipv4_address;
  expect(services.server?.environment.TRUST_PROXY).toBe(`\${TRUST_PROXY:-${address}}`);
});
