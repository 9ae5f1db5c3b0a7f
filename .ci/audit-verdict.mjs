/**
 * What `npm audit --json` comes to: known vulnerabilities, none of severity high or above, or that nobody could be asked.
 */
export function auditVerdict(text) {
  let report;
  try {
    report = JSON.parse(text);
  } catch {
    return { kind: 'not-done', text: 'npm audit gave no report' };
  }
  const counts = report.metadata?.vulnerabilities;
  if (counts === undefined) {
    const why = report.message ?? report.error?.summary ?? report.error?.code ?? 'it gave no counts';
    return { kind: 'not-done', text: `the registry offers no audit: ${String(why).split('\n', 1)[0]}` };
  }
  const bad = (counts.high ?? 0) + (counts.critical ?? 0);
  if (bad === 0)
    return {
      kind: 'clean',
      text: `no known vulnerability of severity high or above among ${report.metadata.dependencies?.total ?? '?'} packages`,
    };
  const names = Object.values(report.vulnerabilities ?? {})
    .filter(({ severity }) => severity === 'high' || severity === 'critical')
    .map(({ name, severity }) => `${name} (${severity})`);
  return { kind: 'vulnerable', text: `${bad} known vulnerabilities of severity high or above: ${names.join(', ')}` };
}
