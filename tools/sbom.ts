/**
 * What is inside a binary: a CycloneDX 1.6 bill of materials, and the licence texts that must go with it. Packages are those
 * that esbuild really put in, not those that are installed.
 *
 * @see https://cyclonedx.org/docs/1.6/json/
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export type Component = {
  readonly name: string;
  readonly version: string;
  /** SPDX identifier or expression. */
  readonly licence: string;
  readonly purl: string;
  readonly sha512Hex?: string;
  readonly licenceText: string;
};

export type Subject = {
  readonly version: string;
  readonly commit: string;
  readonly target: string;
  /** Time of the commit, seconds since 1970: the same sources give the same bill. */
  readonly epochS: number;
};

/** The bill as JSON text, components sorted by purl. */
export function sbomOf(subject: Subject, components: readonly Component[]): string {
  const sorted = [...components].sort((a, b) => (a.purl < b.purl ? -1 : 1));
  const root = {
    type: 'application',
    'bom-ref': 'shareagent',
    name: 'shareagent',
    version: subject.version,
    licenses: [{ license: { id: 'Apache-2.0' } }],
    properties: [
      { name: 'commit', value: subject.commit },
      { name: 'target', value: subject.target },
    ],
  };
  const listed = sorted.map(({ name, version, licence, purl, sha512Hex }) => ({
    type: 'library',
    'bom-ref': purl,
    name,
    version,
    purl,
    licenses: [{ expression: licence }],
    ...(sha512Hex === undefined ? {} : { hashes: [{ alg: 'SHA-512', content: sha512Hex }] }),
  }));
  const body = {
    metadata: { timestamp: new Date(subject.epochS * 1000).toISOString(), component: root },
    components: listed,
    dependencies: [
      { ref: 'shareagent', dependsOn: sorted.map(({ purl }) => purl) },
      ...sorted.map(({ purl }) => ({ ref: purl, dependsOn: [] })),
    ],
  };
  const serialNumber = `urn:uuid:${uuidOf(JSON.stringify(body))}`;
  return `${JSON.stringify({ bomFormat: 'CycloneDX', specVersion: '1.6', serialNumber, version: 1, ...body }, null, 2)}\n`;
}

/** All licence texts, each under its component's name. @throws Error naming a component without one */
export function licencesOf(components: readonly Component[]): string {
  const sorted = [...components].sort((a, b) => (a.purl < b.purl ? -1 : 1));
  return sorted
    .map(({ name, version, licence, licenceText }) => {
      if (licenceText.trim() === '') throw new Error(`${name} ${version} has no licence text`);
      return `${'='.repeat(100)}\n${name} ${version} (${licence})\n${'='.repeat(100)}\n\n${licenceText.trim()}\n`;
    })
    .join('\n');
}

/** npm packages among the files that went into a bundle, with the digests of the lockfile. */
export function npmComponents(root: string, inputs: readonly string[]): Component[] {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { integrity?: string }>;
  };
  return packageFolders(inputs).map((folder) => {
    const manifest = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as {
      name: string;
      version: string;
      license: string;
    };
    const integrity = lock.packages[folder]?.integrity;
    if (integrity === undefined) throw new Error(`${folder} is in the bundle, but not in package-lock.json`);
    return {
      name: manifest.name,
      version: manifest.version,
      licence: manifest.license,
      purl: `pkg:npm/${manifest.name.replace('@', '%40')}@${manifest.version}`,
      sha512Hex: Buffer.from(integrity.replace(/^sha512-/, ''), 'base64').toString('hex'),
      licenceText: licenceFile(join(root, folder)) ?? `${manifest.license} (the package brings no licence text)`,
    };
  });
}

/** Node itself; its licence file also holds those of V8, OpenSSL, ICU, zlib and all else that is built in. */
export function nodeComponent(packageFolder: string, pin: string): Component {
  return {
    name: 'node',
    version: process.versions.node,
    licence: 'MIT',
    purl: `pkg:generic/node@${process.versions.node}`,
    sha512Hex: Buffer.from(pin.replace(/^sha512-/, ''), 'base64').toString('hex'),
    licenceText: readFileSync(join(packageFolder, 'LICENSE'), 'utf8'),
  };
}

/** Debian's packages of the C library that lies beside the agent. */
export function debianComponents(packages: readonly string[]): Component[] {
  return packages.map((name) => {
    const told = execFileSync('dpkg-query', ['-s', name], { encoding: 'utf8' });
    const field = (key: string) => new RegExp(`^${key}: (.*)$`, 'm').exec(told)?.[1] ?? '';
    const version = field('Version');
    const arch = field('Architecture');
    const licence = name.startsWith('libc6') ? 'LGPL-2.1-or-later' : 'GPL-3.0-or-later WITH GCC-exception-3.1';
    return {
      name,
      version,
      licence,
      purl: `pkg:deb/debian/${encodeURIComponent(name)}@${encodeURIComponent(version)}?arch=${arch}`,
      licenceText: readFileSync(`/usr/share/doc/${name}/copyright`, 'utf8'),
    };
  });
}

/** `node_modules/a/node_modules/@b/c` for each package that a file of the bundle came from, once, sorted. */
export function packageFolders(inputs: readonly string[]): string[] {
  const folders = inputs.map((path) => /^.*node_modules\/(@[^/]+\/)?[^/]+/.exec(path)?.[0]);
  return [...new Set(folders.filter((folder) => folder !== undefined))].sort();
}

function licenceFile(folder: string): string | undefined {
  const name = existsSync(folder) ? readdirSync(folder).find((file) => /^(licen[cs]e|copying)/i.test(file)) : undefined;
  return name === undefined ? undefined : readFileSync(join(folder, name), 'utf8');
}

/** A name-based UUID (RFC 9562, version 8) of a text. */
function uuidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  const variant = ((Number.parseInt(hex.slice(16, 18), 16) & 0x3f) | 0x80).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(18, 20)}-${hex.slice(20, 32)}`;
}
