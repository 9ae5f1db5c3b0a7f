import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { packageRoot } from '../../src/support/config/index.js';

/** What a finished image is: a folder tree, and how a container of it starts. */
export interface Image {
  /** Where the tree begins: `/app` of the image is `root + '/app'`. */
  readonly root: string;
  readonly workdir: string;
  readonly env: Readonly<Record<string, string>>;
  readonly user: string;
  readonly command: readonly string[];
  readonly healthCommand: readonly string[];
  /** As written behind `FROM`. */
  readonly base: string;
}

interface Instruction {
  readonly name: string;
  readonly text: string;
}

/**
 * Runs the steps of the project's Dockerfile in empty folders, as far as a machine without Docker can: its base image is this machine, and
 * what may be copied in is what `.dockerignore` leaves. `env` is added to that of every `RUN`;
 * `made` hears of every folder.
 */
export function buildImage(env: Readonly<Record<string, string>>, made: (folder: string) => void): Image {
  const stages = new Map<string, Image>();
  let image: Image | undefined;
  for (const { name, text } of instructions()) {
    if (name === 'FROM') {
      const [base, , alias = `stage ${stages.size}`] = text.split(/\s+/) as [string, string?, string?];
      const root = mkdtempSync(join(tmpdir(), 'mdp-image-'));
      made(root);
      image = { root, workdir: '/', env: {}, user: 'root', command: [], healthCommand: [], base };
      stages.set(alias, image);
    } else {
      if (image === undefined) throw new Error(`${name} before FROM`);
      const stage: Image = { ...image, ...step(image, name, text, stages, env) };
      for (const [alias, known] of stages) if (known.root === stage.root) stages.set(alias, stage);
      image = stage;
    }
  }
  if (image === undefined) throw new Error('the Dockerfile has no FROM');
  return image;
}

function step(
  image: Image,
  name: string,
  text: string,
  stages: ReadonlyMap<string, Image>,
  env: Readonly<Record<string, string>>,
): Partial<Image> {
  const folder = join(image.root, image.workdir);
  switch (name) {
    case 'WORKDIR':
      mkdirSync(join(image.root, text), { recursive: true });
      return { workdir: text };
    case 'ENV': {
      const sign = text.indexOf('=');
      return { env: { ...image.env, [text.slice(0, sign)]: text.slice(sign + 1) } };
    }
    case 'COPY':
      copy(text, folder, stages);
      return {};
    case 'RUN':
      execFileSync('/bin/sh', ['-ec', text], { cwd: folder, env: { ...image.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
      return {};
    case 'USER':
      return { user: text };
    case 'EXPOSE':
      return {};
    case 'HEALTHCHECK':
      return { healthCommand: JSON.parse(text.slice(text.indexOf('['))) as string[] };
    case 'CMD':
      return { command: JSON.parse(text) as string[] };
    default:
      throw new Error(`no idea how to do ${name}`);
  }
}

function copy(text: string, folder: string, stages: ReadonlyMap<string, Image>): void {
  const words = text.split(/\s+/);
  const from = /^--from=(.+)$/.exec(words[0]!)?.[1];
  if (from !== undefined) words.shift();
  const target = words.pop()!;
  for (const source of words) {
    if (from === undefined && !allowed().has(source)) throw new Error(`.dockerignore keeps ${source} out`);
    const path = from === undefined ? join(packageRoot(), source) : join(stages.get(from)!.root, source);
    const into = target.endsWith('/') && !statSync(path).isDirectory() ? join(folder, target, basename(path)) : join(folder, target);
    // What a later stage takes of an earlier one is moved: nobody needs it twice, and copying thousands of files takes its time.
    if (from === undefined) cpSync(path, into, { recursive: true });
    else renameSync(path, into);
  }
}

/** What `.dockerignore` lets through: it leaves everything out and names the exceptions. */
function allowed(): ReadonlySet<string> {
  const lines = readFileSync(join(packageRoot(), '.dockerignore'), 'utf8').split('\n');
  if (lines[0] !== '*') throw new Error('.dockerignore no longer leaves everything out');
  return new Set(lines.filter((line) => line.startsWith('!')).map((line) => line.slice(1)));
}

function instructions(): readonly Instruction[] {
  const text = readFileSync(join(packageRoot(), 'Dockerfile'), 'utf8')
    .replace(/^\s*#.*\n/gm, '')
    .replace(/\\\n\s*/g, '');
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [, name, rest] = /^([A-Z]+)\s+(.*)$/.exec(line)!;
      return { name: name!, text: rest! };
    });
}
