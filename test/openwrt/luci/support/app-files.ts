/** The files of luci-app-shareagent, as they lie in the package. */
import { readdirSync, readFileSync } from 'node:fs';
import { URL } from 'node:url';

export const APP_DIRECTORY = new URL('../../../../openwrt/luci-app-shareagent/', import.meta.url);
export const RESOURCES = new URL('htdocs/luci-static/resources/', APP_DIRECTORY);

/** Rights to call ubus methods, by object. */
export type UbusRights = Readonly<Record<string, readonly string[]>>;
export type AclGroup = { readonly ubus: UbusRights; readonly uci: readonly string[] };
export type MenuNode = {
  readonly title?: string;
  readonly order: number;
  readonly action: { readonly type: string; readonly path: string };
  readonly depends?: { readonly acl?: readonly string[]; readonly uci?: Readonly<Record<string, boolean>> };
};

export function appText(path: string): string {
  return readFileSync(new URL(path, APP_DIRECTORY), 'utf8');
}

/** Names of the pages: view/shareagent/NAME.js. */
export function viewNames(): readonly string[] {
  return readdirSync(new URL('view/shareagent/', RESOURCES)).map((name) => name.replace(/\.js$/, ''));
}

/** Every script of the app with its path below luci-static/resources. */
export function scripts(): ReadonlyMap<string, string> {
  const paths = ['shareagent', 'view/shareagent'].flatMap((folder) =>
    readdirSync(new URL(`${folder}/`, RESOURCES)).map((name) => `${folder}/${name}`),
  );
  return new Map(paths.sort().map((path) => [path, readFileSync(new URL(path, RESOURCES), 'utf8')]));
}

export function acl(): { readonly description: string; readonly read: AclGroup; readonly write: AclGroup } {
  return JSON.parse(appText('root/usr/share/rpcd/acl.d/luci-app-shareagent.json'))['luci-app-shareagent'];
}

export function menu(): Readonly<Record<string, MenuNode>> {
  return JSON.parse(appText('root/usr/share/luci/menu.d/luci-app-shareagent.json'));
}

/** The plugin that rpcd loads: object `luci.shareagent`. */
export function pluginText(): string {
  return appText('root/usr/share/rpcd/ucode/luci.shareagent');
}
