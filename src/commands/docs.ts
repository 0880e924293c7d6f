import { writeFile } from 'node:fs/promises';
import { stringify } from 'yaml';
import { parseEnv } from '../env.ts';
import { describeApi } from '../http/openapi.ts';
import { createRoutes } from '../http/routes.ts';

/** Where the description lies, from the root of the project. */
const FILE = 'swagger.yaml';

// With the limits that hold by default.
const description = describeApi(createRoutes(parseEnv({})));
await writeFile(FILE, stringify(description, { aliasDuplicateObjects: false, lineWidth: 0 }));
