import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** How a script of package.json ended. */
export interface ScriptResult {
  code: unknown;
  stdout: string;
  stderr: string;
}

/** What would reach the scripts from the environment of the tests, or from a `.env`. */
const NEUTRAL = { NODE_ENV: 'development', DATABASE_URL: '', DATA_DIR: '', LOG_LEVEL: '', BCRYPT_ROUNDS: '4' };

/** Runs a script of package.json as people do: `npm run <script> -- <args>`. */
export async function runScript(script: string, args: string[], variables: Record<string, string>): Promise<ScriptResult> {
  const child = spawn('npm', ['run', '--silent', script, '--', ...args], {
    env: { ...process.env, ...NEUTRAL, ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const printed = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => {
    printed.stdout += String(chunk);
  });
  child.stderr.on('data', (chunk) => {
    printed.stderr += String(chunk);
  });
  const [code] = await once(child, 'close');
  return { code, ...printed };
}
