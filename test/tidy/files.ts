import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../src/support/config/index.js';

export interface TextFile {
  /** Relative to the project's folder. */
  readonly path: string;
  readonly text: string;
}

/** Every file of the project that is or would be committed, generated and binary ones left out. */
export function projectFiles(): readonly TextFile[] {
  const root = packageRoot();
  const listing = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root, encoding: 'utf8' });
  return listing
    .split('\0')
    .filter((path) => path !== '' && path !== 'package-lock.json' && existsSync(join(root, path)))
    .map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))
    .filter((file) => !file.text.includes('\0'));
}

/** TypeScript without its comments and the content of its strings, line for line: what rules about code look at. */
export function codeOf(text: string): string {
  // The last alternative takes regular expressions, whose quotes would else open a string.
  const token =
    /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|(?<=[(=,:!&|?]\s*)\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n])+\//g;
  return text.replace(token, (match) => (/^['"]/.test(match) ? "''" : match.replace(/[^\n]/g, '')));
}

/** `path:line: text` of every line that matches. */
export function linesMatching(file: TextFile, pattern: RegExp, text = file.text): readonly string[] {
  return text.split('\n').flatMap((line, index) => (pattern.test(line) ? [`${file.path}:${index + 1}: ${line.trim()}`] : []));
}
