import { privateMessages } from './scenarios/private.ts';
import { Stage } from './stage.ts';

const stage = new Stage({ seconds: Number(process.argv[2] ?? 6), quick: false, url: undefined, database: undefined });
try {
  process.stdout.write(`${JSON.stringify(await privateMessages(stage), null, 1)}\n`);
} finally {
  await stage.end();
}
process.exit(0);
