import { execFileSync, spawnSync } from 'node:child_process';

export interface PageMetric {
  readonly type: string;
  readonly help: string;
  readonly samples: readonly { readonly name: string; readonly labels: Readonly<Record<string, string>>; readonly value: number }[];
}

/** A page in the text format of Prometheus, by the name of the metric. */
export function parsePage(text: string): ReadonlyMap<string, PageMetric> {
  const metrics = new Map<string, { type: string; help: string; samples: PageMetric['samples'][number][] }>();
  let current = '';
  for (const line of text.split('\n')) {
    const [, kind, name, rest] = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line) ?? [];
    if (kind === 'HELP') metrics.set((current = name!), { type: '', help: rest!, samples: [] });
    else if (kind === 'TYPE') metrics.get(current)!.type = rest!;
    else if (line !== '') metrics.get(current)!.samples.push(parseSample(line));
  }
  return metrics;
}

function parseSample(line: string): PageMetric['samples'][number] {
  const [, name, labels = '', value] = /^([a-z_]+)(?:\{(.*)\})? (\S+)$/.exec(line)!;
  const pairs = [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, label, text]): [string, string] => [label!, text!]);
  return { name: name!, labels: Object.fromEntries(pairs), value: Number(value) };
}

/** `undefined`, and one line that says so, where Debian's `prometheus` is not installed. */
export const promtool: ((args: readonly string[], input?: string) => string) | undefined = installed()
  ? (args, input) => execFileSync('promtool', args, { input: input ?? '', encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'] })
  : undefined;

function installed(): boolean {
  if (spawnSync('promtool', ['--version']).status === 0) return true;
  process.stderr.write('promtool is not installed (apt-get install prometheus): what it would check is skipped\n');
  return false;
}

/** Names of metrics in an expression, each with the labels it is selected or grouped by. */
export function metricsOf(expression: string): { readonly name: string; readonly labels: readonly string[] }[] {
  const grouped = [...expression.matchAll(/\b(?:by|without) ?\(([^)]*)\)/g)].flatMap(([, list]) => list!.split(/\s*,\s*/));
  const plain = expression.replace(/\b(?:by|without|on|ignoring) ?\([^)]*\)/g, '').replace(/\[[^\]]*\]/g, '');
  const found = plain.matchAll(/([a-zA-Z_:][\w:]*)\s*(\{[^}]*\})?(?!\s*\(|\w)/g);
  return [...found]
    .filter(([, name]) => !['and', 'or', 'unless', 'bool', 'offset'].includes(name!))
    .map(([, name, selector = '']) => ({
      name: name!,
      labels: [...grouped, ...[...selector.matchAll(/(\w+)\s*[=!]/g)].map(([, label]) => label!)],
    }));
}
