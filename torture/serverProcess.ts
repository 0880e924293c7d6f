import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { STOP_WITHIN } from './bounds.ts';

/** Lines of its log that are kept to be shown. */
const LINES_KEPT = 15;
/** Where the programs are that the server runs to start its PostgreSQL; nothing else of the environment reaches it. */
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** One life of the server. */
export class ServerProcess {
  /** How the run ends it; undefined as long as it must live. */
  ending: 'killed' | 'asked' | undefined;
  /** Whether it listened already. */
  isListening = false;
  hasEnded = false;
  /** Lines that it logged. */
  logLines = 0;
  /** The last of them. */
  readonly lastLines: string[] = [];
  /** Resolves with its address; rejects when it ends before it listens. */
  readonly url: Promise<string>;
  /** Resolves with the exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>;
  readonly #child;

  constructor(dataDir: string, variables: Record<string, string>) {
    // A group of its own: Ctrl-C reaches the command alone, which ends the server.
    this.#child = spawn(process.execPath, [path.resolve('dist/src/main.js')], {
      env: { PATH, HOME: dataDir, HOST: '127.0.0.1', PORT: '0', DATA_DIR: dataDir, ...variables },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    this.ended = once(this.#child, 'exit').then(([code, signal]) => {
      this.hasEnded = true;
      return code ?? signal;
    });
    this.url = new Promise((resolve, reject) => {
      const onLine = (line: string) => {
        const [, port] = /listening on http:\/\/localhost:(\d+)/.exec(line) ?? [];
        if (port) {
          this.isListening = true;
          resolve(`http://127.0.0.1:${port}`);
        }
        this.logLines++;
        this.lastLines.push(line);
        if (this.lastLines.length > LINES_KEPT) this.lastLines.shift();
      };
      eachLine(this.#child.stdout, onLine);
      eachLine(this.#child.stderr, onLine);
      this.ended.then(
        (code) => reject(new Error(`the server ended with ${code} before it listened\n${this.lastLines.join('\n')}`)),
        reject,
      );
    });
    // Who waits for it learns of the failure; nobody may be waiting yet.
    this.url.catch(() => {});
  }

  /** Ends it as a power cut does. */
  async kill(): Promise<void> {
    this.ending = 'killed';
    this.#child.kill('SIGKILL');
    await this.ended;
  }

  /** Asks it to stop; returns the exit code, or the signal when it had to be killed for taking too long. */
  async stop(): Promise<number | string> {
    this.ending ??= 'asked';
    this.#child.kill('SIGTERM');
    const deadline = setTimeout(() => this.#child.kill('SIGKILL'), STOP_WITHIN + 2_000);
    const code = await this.ended;
    clearTimeout(deadline);
    return code;
  }
}

function eachLine(stream: NodeJS.ReadableStream, onLine: (line: string) => void): void {
  let rest = '';
  stream.on('data', (chunk) => {
    const lines = (rest + String(chunk)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line);
  });
}
