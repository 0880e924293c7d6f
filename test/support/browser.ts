import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const PLACES = [process.env.CHROMIUM ?? '', '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const executablePath = PLACES.find((place) => place !== '' && existsSync(place));

/** Whether there is a browser to test with. In CI a missing one is a failure, elsewhere it is said in one line. */
export function isBrowserInstalled(): boolean {
  if (executablePath) return true;
  if (process.env.CI) throw new Error('CI needs a browser: install chromium');
  process.stderr.write('Left out the tests in a browser: no Chromium here. Install it, or name it in CHROMIUM.\n');
  return false;
}

/** Starts a headless browser that talks to nobody but the page's own server. */
export function launchBrowser(): Promise<Browser> {
  const quiet = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync'];
  return chromium.launch({
    ...(executablePath && { executablePath }),
    args: [...quiet, '--disable-background-networking', '--disable-component-update'],
  });
}
