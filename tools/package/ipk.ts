/**
 * The package format of opkg (OpenWrt up to 24.10): a gzipped tar of debian-binary, data.tar.gz and control.tar.gz, in the
 * order of OpenWrt's scripts/ipkg-build. The same input gives the same bytes.
 */
import { gzipSync } from 'node:zlib';
import type { PackageSpec } from './spec.ts';
import { tarOf } from './tar.ts';
import { installedSize, textFile, treeOf } from './tree.ts';

export function ipkOf(spec: PackageSpec): Buffer {
  const { mtimeS } = spec;
  const data = tarOf([...spec.tree.values()], mtimeS);
  const executable = 0o755;
  const { postinst, prerm } = spec.scripts;
  const control = treeOf([
    textFile('control', controlText(spec)),
    textFile('conffiles', spec.conffiles.map((path) => `/${path}\n`).join('')),
    textFile('postinst', script('default_postinst', true), executable),
    textFile('postinst-pkg', postinst, executable),
    textFile('prerm', script('default_prerm', false), executable),
    textFile('prerm-pkg', prerm, executable),
    textFile('postrm', removeFolders(spec), executable),
  ]);
  return gzip(
    tarOf(
      [
        textFile('debian-binary', '2.0\n'),
        { kind: 'file', path: 'data.tar.gz', mode: 0o644, data: gzip(data) },
        { kind: 'file', path: 'control.tar.gz', mode: 0o644, data: gzip(tarOf([...control.values()], mtimeS)) },
      ],
      mtimeS,
    ),
  );
}

/** What OpenWrt's include/package-pack.mk writes: base-files' functions do the work, and run our part (`*-pkg`). */
function script(step: string, isSkippable: boolean): string {
  return [
    '#!/bin/sh',
    ...(isSkippable ? [`[ "\${IPKG_NO_SCRIPT}" = "1" ] && exit 0`] : []),
    `[ -s "\${IPKG_INSTROOT}/lib/functions.sh" ] || exit 0`,
    `. \${IPKG_INSTROOT}/lib/functions.sh`,
    `${step} $0 $@`,
    '',
  ].join('\n');
}

/** opkg leaves empty folders behind: those that only this package has. apk removes them itself. */
function removeFolders({ name, tree }: PackageSpec): string {
  const own = [...tree.values()].flatMap(({ kind, path }) =>
    kind === 'folder' && path.endsWith(`/${name.replace(/^luci-app-/, '')}`) ? [`"\${IPKG_INSTROOT}/${path}"`] : [],
  );
  return `#!/bin/sh\n[ "$1" = remove ] && rm -rf ${own.join(' ')}\nexit 0\n`;
}

/** The package's control file. */
export function controlText(spec: PackageSpec): string {
  const fields = {
    Package: spec.name,
    Version: spec.version,
    Depends: spec.depends.join(', '),
    Source: spec.source,
    SourceName: spec.name,
    License: spec.license,
    Section: 'net',
    'Require-User': spec.user,
    SourceDateEpoch: String(spec.mtimeS),
    URL: spec.url,
    Maintainer: spec.maintainer,
    Architecture: spec.arch,
    'Installed-Size': String(installedSize(spec.tree)),
    Description: ` ${spec.description}`,
  };
  const lines = Object.entries(fields).filter(([, value]) => value.trim() !== '');
  return `${lines.map(([name, value]) => `${name}: ${value}`).join('\n')}\n`;
}

/** zlib writes no time and no name; its operating system byte is the only thing that differs between machines. */
export function gzip(bytes: Uint8Array): Buffer {
  const packed = gzipSync(bytes, { level: 9 });
  packed[9] = 3;
  return packed;
}
