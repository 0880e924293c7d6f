import { type Browser, chromium } from 'playwright-core';
import { findProgram } from './programs.ts';

const executablePath = findProgram('chromium');

/** Whether there is a browser to test with. In CI a missing one is a failure, elsewhere `npm test` says so at its end. */
export const isBrowserInstalled = executablePath !== undefined;

/** Starts a headless browser that talks to nobody but the page's own server. */
export function launchBrowser(): Promise<Browser> {
  const quiet = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync'];
  return chromium.launch({
    ...(executablePath && { executablePath }),
    args: [...quiet, '--disable-background-networking', '--disable-component-update'],
  });
}
