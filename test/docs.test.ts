// Runs what the documentation shows. In README.md and docs/, a comment before a fenced block says what becomes of it, one
// after the other in a folder of their own:
//   <!-- file NAME -->           is written there
//   <!-- serve NAME [option] --> is written and served as a plug-in file, on a free port that stands for 8080
//   <!-- examples -->            is left alone; examples/plugins.json is served from there on, on a free port
//   <!-- shell -->               is run by sh; $VALOR is this repository
//   <!-- console -->             lines with `$` are run, and print the lines that follow ("..." stands for anything)
//   <!-- log -->                 is in the log of the served files, line by line
//   <!-- not run: REASON -->     is left alone
// A block of code without such a comment fails, so that nothing is forgotten.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { lastResults, readmeWith } from '../bench/report.ts';
import { build, command, deadlineMs, root, serveExamples, serveFile, temporaryFolder, type Valor } from './harness.ts';

interface Block {
  line: number;
  language: string;
  marker: string;
  text: string;
}

function blocks(file: string): Block[] {
  const found: Block[] = [];
  const lines = readFileSync(file, 'utf8').split('\n');
  for (let i = 0; i < lines.length; i++) {
    const language = /^```(\w+)/.exec(lines[i]!)?.[1];
    if (!language) continue;
    const end = lines.indexOf('```', i + 1);
    const marker = /^<!-- (.*) -->$/.exec(lines[i - 1] ?? '')?.[1] ?? '';
    found.push({ line: i + 1, language, marker, text: `${lines.slice(i + 1, end).join('\n')}\n` });
    i = end;
  }
  return found;
}

/** What a shell line prints, both streams together, whatever its exit code. */
function shell(line: string, folder: string): Promise<{ code: number; output: string }> {
  const env = { ...process.env, PATH: `${dirname(command)}:${process.env.PATH}`, VALOR: root, VALOR_BUILD: build };
  return new Promise((done) => {
    execFile('sh', ['-c', `{ ${line}\n} 2>&1`], { cwd: folder, env, timeout: 4 * deadlineMs }, (error, output) => {
      done({ code: error ? Number(error.code ?? 1) : 0, output });
    });
  });
}

/** Whether `text` is `pattern`, in which "..." stands for anything. */
function matches(text: string, pattern: string): boolean {
  const escaped = pattern.split('...').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${escaped.join('[\\s\\S]*')}$`).test(text);
}

async function console_(text: string, folder: string, valor: Valor | undefined): Promise<void> {
  for (const step of text.split(/^\$ /m).slice(1)) {
    const [line = '', ...expected] = step.split('\n');
    const { output } = await shell(
      line.replaceAll('127.0.0.1:8080', `127.0.0.1:${valor?.port}`).replaceAll('curl ', 'curl -sS '),
      folder,
    );
    assert.ok(matches(output.trimEnd(), expected.join('\n').trimEnd()), `$ ${line}\nprinted\n${output}`);
  }
}

const files = [
  'README.md',
  'examples/README.md',
  ...readdirSync(join(root, 'docs'), { recursive: true }).map((name) => `docs/${name}`),
];

for (const file of files.filter((name) => name.endsWith('.md'))) {
  const all = blocks(join(root, file));
  if (all.length === 0) continue;
  test(`${file} shows what happens`, async () => {
    const folder = temporaryFolder();
    let valor: Valor | undefined;
    try {
      for (const { line, language, marker, text } of all) {
        const [kind, name = '', ...rest] = marker.split(' ');
        if (kind === 'file') writeFileSync(join(folder, name), text);
        else if (kind === 'serve') {
          await valor?.stop();
          writeFileSync(join(folder, name), text);
          valor = await serveFile(join(folder, name), rest);
        } else if (kind === 'examples') {
          await valor?.stop();
          valor = await serveExamples();
        } else if (kind === 'shell') {
          const { code, output } = await shell(text, folder);
          assert.equal(code, 0, `${file}:${line}: ${output}`);
        } else if (kind === 'console') await console_(text, folder, valor);
        else if (kind === 'log') {
          for (const expected of text.trimEnd().split('\n')) {
            await valor!.logged(/./);
            const end = Date.now() + deadlineMs;
            while (!valor!.log.split('\n').some((entry) => matches(entry, expected))) {
              assert.ok(Date.now() < end, `${file}:${line}: not in the log:\n${valor!.log}`);
              await new Promise((done) => setTimeout(done, 20));
            }
          }
        } else if (kind !== 'not') assert.fail(`${file}:${line}: a block of ${language} that no test runs`);
      }
    } finally {
      await valor?.stop();
    }
  });
}

test("the README's figures are those of the last `make bench`", () => {
  assert.equal(readFileSync(join(root, 'README.md'), 'utf8'), readmeWith(lastResults()));
});

test('links inside the documentation lead somewhere', () => {
  for (const file of files.filter((name) => name.endsWith('.md'))) {
    // A lambda in a block of C++ looks like a link.
    const text = readFileSync(join(root, file), 'utf8').replaceAll(/^```.*?^```/gms, '');
    for (const [, link] of text.matchAll(/\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)/g)) {
      assert.doesNotThrow(() => readFileSync(join(root, dirname(file), link!)), `${file}: ${link}`);
    }
  }
});
