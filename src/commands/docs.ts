import { writeFile } from 'node:fs/promises';
import { parseEnv } from '../env.ts';
import { describeApi } from '../http/openapi.ts';
import { createRoutes } from '../http/routes.ts';
import { toYaml } from '../lib/yaml.ts';
import { describeSocket } from '../ws/asyncapi.ts';
import { createRegistry } from '../ws/registry.ts';

// With the limits and the address that hold by default: Postman takes over an address only when it is a whole one.
const env = parseEnv({});

/** Where the descriptions lie, from the root of the project. */
const FILES = {
  'swagger.yaml': describeApi(createRoutes(env), `http://localhost:${env.PORT}`),
  'asyncapi.yaml': describeSocket(createRegistry(env)),
};

for (const [file, description] of Object.entries(FILES)) {
  await writeFile(file, toYaml(description));
}
