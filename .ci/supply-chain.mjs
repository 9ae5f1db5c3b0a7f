/**
 * What the package is made of: `npm audit` must be clean at high and above, and `dist/sbom.cdx.json` lists what is shipped (CycloneDX), every package of the
 * lock file with its address and hash. A registry that cannot be asked is said aloud; with AUDIT_REQUIRED=true it is a failure. `sbom` as an
 * argument leaves the audit out.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { auditVerdict } from './audit-verdict.mjs';

const root = join(import.meta.dirname, '..');
const file = join(root, 'dist/sbom.cdx.json');
const outputMax = 64 * 1024 * 1024;

function npm(...words) {
  return spawnSync('npm', words, { cwd: root, encoding: 'utf8', maxBuffer: outputMax });
}

function fail(text) {
  process.stderr.write(`supply chain: ${text}\n`);
  process.exitCode = 1;
}

function audit() {
  const { kind, text } = auditVerdict(npm('audit', '--audit-level=high', '--json').stdout);
  if (kind === 'clean') process.stdout.write(`supply chain: ${text}\n`);
  else if (kind === 'vulnerable' || process.env.AUDIT_REQUIRED === 'true') fail(text);
  else process.stdout.write(`supply chain: AUDIT NOT DONE, known vulnerabilities were not looked for: ${text}\n`);
}

/** Every package that is installed for users on any machine, by `name@version`, as the lock file has it. */
function shipped() {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
  return Object.entries(packages)
    .filter(([path, { dev, devOptional, optional }]) => path !== '' && dev !== true && devOptional !== true && optional !== true)
    .map(([path, { version }]) => `${path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)}@${version}`);
}

function sbom() {
  const { stdout, stderr, status } = npm('sbom', '--sbom-format=cyclonedx');
  if (status !== 0) return fail(`npm sbom failed: ${stderr.trim()}`);
  const bom = JSON.parse(stdout);
  dropDevelopment(bom);
  // npm takes the name of the folder.
  const { name, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  Object.assign(bom.metadata.component, { name, version });
  const problems = problemsOf(bom);
  if (problems.length > 0) return fail(`the SBOM is not right: ${problems.slice(0, 5).join('; ')}`);
  mkdirSync(join(root, 'dist'), { recursive: true });
  writeFileSync(file, `${JSON.stringify(bom, null, 2)}\n`);
  process.stdout.write(`supply chain: ${bom.components.length} packages in dist/sbom.cdx.json (CycloneDX ${bom.specVersion})\n`);
}

/** `npm sbom --omit=dev` leaves out what development needs too, although users get it. */
function dropDevelopment(bom) {
  const isDevelopment = ({ properties = [] }) =>
    properties.some(({ name, value }) => name === 'cdx:npm:package:development' && value === 'true');
  const dropped = new Set(bom.components.filter(isDevelopment).map((component) => component['bom-ref']));
  bom.components = bom.components.filter((component) => !dropped.has(component['bom-ref']));
  bom.dependencies = bom.dependencies
    .filter(({ ref }) => !dropped.has(ref))
    .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter((needed) => !dropped.has(needed)) }));
}

function problemsOf({ bomFormat, specVersion, serialNumber, components = [], dependencies = [] }) {
  const problems = [];
  if (bomFormat !== 'CycloneDX' || !/^1\.[5-9]$/.test(specVersion))
    problems.push(`${bomFormat} ${specVersion} is not CycloneDX 1.5 or newer`);
  if (!/^urn:uuid:[0-9a-f-]{36}$/.test(serialNumber)) problems.push('no serial number');
  const listed = new Set();
  for (const component of components) {
    const id = `${component.name}@${component.version}`;
    listed.add(id);
    if (!component.purl?.startsWith('pkg:npm/')) problems.push(`${id} has no purl`);
    if (!component.hashes?.some(({ alg, content }) => alg === 'SHA-512' && /^[0-9a-f]{128}$/.test(content)))
      problems.push(`${id} has no hash`);
  }
  for (const id of shipped()) if (!listed.has(id)) problems.push(`${id} is missing`);
  const refs = new Set(components.map((component) => component['bom-ref']));
  for (const { dependsOn = [] } of dependencies) for (const ref of dependsOn) if (!refs.has(ref)) problems.push(`${ref} is no component`);
  return problems;
}

if (process.argv[2] !== 'sbom') audit();
sbom();
