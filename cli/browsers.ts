// Browsers as programs: where they are, and how one opens a page without a window.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram } from './programs.ts';

export type BrowserName = 'chromium' | 'firefox';
export const browserNames: readonly BrowserName[] = ['chromium', 'firefox'];

const programs = {
  chromium: { names: ['chromium', 'chromium-browser', 'google-chrome'], apt: 'chromium' },
  firefox: { names: ['firefox-esr', 'firefox'], apt: 'firefox-esr' },
};

/** Headless, without what a first start asks, updates or sends. */
export const chromiumFlags = [
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const firefoxSettings = {
  'app.normandy.enabled': false,
  'app.update.auto': false,
  'browser.aboutwelcome.enabled': false,
  'browser.shell.checkDefaultBrowser': false,
  'datareporting.policy.dataSubmissionEnabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'toolkit.telemetry.reportingpolicy.firstRun': false,
};

export function findBrowser(name: BrowserName): string | undefined {
  return findProgram(...programs[name].names);
}

/** Throws with the command that installs it. */
export function needBrowser(name: BrowserName): string {
  const { names, apt } = programs[name];
  const found = findBrowser(name);
  if (found !== undefined) return found;
  throw new Error(
    `${name} is not installed (looked for ${names.join(', ')}); install it with: sudo apt-get install -y --no-install-recommends ${apt}`,
  );
}

export interface OpenBrowser {
  /** Rejects when the program ends by itself. */
  ended: Promise<never>;
  /** With its profile. */
  close(): Promise<void>;
}

/** Opens a page in a browser of its own, with an empty profile. */
export function openPage(name: BrowserName, url: string): OpenBrowser {
  const program = needBrowser(name);
  const profile = mkdtempSync(join(tmpdir(), 'valor-browser-'));
  let args: string[];
  if (name === 'chromium') {
    // Its sandbox does not work for root.
    const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
    args = ['--headless', ...chromiumFlags, ...sandbox, `--user-data-dir=${profile}`, url];
  } else {
    const lines = Object.entries(firefoxSettings).map(([key, value]) => `user_pref("${key}", ${value});\n`);
    writeFileSync(join(profile, 'user.js'), lines.join(''));
    args = ['--headless', '--no-remote', '--profile', profile, url];
  }
  // A process group of its own, because browsers are many processes.
  const process_ = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'], detached: true });
  let said = '';
  process_.stderr!.on('data', (text) => {
    said = (said + text).slice(-2000);
  });
  const onExit = (): void => kill(process_);
  process.on('exit', onExit);
  const gone = new Promise<void>((done) => process_.once('close', () => done()));
  return {
    ended: new Promise((_, reject) => {
      process_.once('error', (error) => reject(new Error(`${program} cannot be run: ${error.message}`)));
      process_.once('close', (code, signal) => {
        reject(new Error(`${name} ended with ${signal ?? `exit code ${code}`}:\n${said.trim()}`));
      });
    }),
    async close() {
      kill(process_);
      await gone;
      process.off('exit', onExit);
      rmSync(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
    },
  };
}

function kill({ pid, exitCode, signalCode }: ChildProcess): void {
  if (pid === undefined || exitCode !== null || signalCode !== null) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
