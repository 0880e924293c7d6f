import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** How a script of package.json ended. */
export interface ScriptResult {
  code: unknown;
  stdout: string;
  stderr: string;
}

/** What would reach the scripts from the environment of the tests, or from a `.env`. */
const NEUTRAL = { NODE_ENV: 'development', DATABASE_URL: '', DATA_DIR: '', LOG_LEVEL: '', BCRYPT_ROUNDS: '4' };

const running = new Set<ChildProcess>();

/** Runs a script of package.json as people do: `npm run <script> -- <args>`. */
export async function runScript(script: string, args: string[], variables: Record<string, string>): Promise<ScriptResult> {
  const child = spawn('npm', ['run', '--silent', script, '--', ...args], {
    env: { ...process.env, ...NEUTRAL, ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  const printed = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk) => {
    printed.stdout += String(chunk);
  });
  child.stderr.on('data', (chunk) => {
    printed.stderr += String(chunk);
  });
  const [code] = await once(child, 'close');
  running.delete(child);
  return { code, ...printed };
}

/** Ends the scripts that a test did not wait for, as it took too long. */
export async function endScripts(): Promise<void> {
  await Promise.all(
    [...running].map(async (child) => {
      const closed = once(child, 'close');
      // npm passes it on.
      child.kill('SIGTERM');
      await closed;
    }),
  );
}
