/**
 * Who may do what on the stand-in daemon's bus: the files of /usr/share/acl.d, judged as ubusd_acl.c does. Users and groups
 * are told apart by name.
 */
import type { BlobmsgInputTable } from '../../../openwrt/node-openwrt-ubus/src/blobmsg.ts';
import type { Credentials } from './bus-client.ts';

/** One file of /usr/share/acl.d. */
export type AccessFile = {
  readonly user?: string;
  /** Counts only in a file without `user`. */
  readonly group?: string;
  readonly access?: Readonly<Record<string, AccessEntry>>;
  readonly publish?: readonly string[];
  readonly subscribe?: readonly string[];
  readonly listen?: readonly string[];
  readonly send?: readonly string[];
};

type AccessEntry = {
  readonly methods?: readonly string[];
  readonly tags?: readonly string[];
  /** Not judged by the daemon: the object's owner asks for it. */
  readonly acl?: BlobmsgInputTable;
};

export type AccessKind = 'access' | 'publish' | 'subscribe' | 'listen' | 'send';

type Rule = {
  readonly kind: AccessKind;
  readonly file: AccessFile;
  /** Without the "*" at its end. */
  readonly key: string;
  readonly isPrefix: boolean;
  readonly entry: AccessEntry;
};

const LISTS = ['subscribe', 'publish', 'listen', 'send'] as const;

export class AccessRules {
  readonly #rules: readonly Rule[];

  constructor(files: readonly AccessFile[] = []) {
    const rules = files.filter(({ user, group }) => user !== undefined || group !== undefined).flatMap(rulesFromFile);
    this.#rules = rules.sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)));
  }

  /** An object without a path, and whatever root does, is nobody's business. */
  allows(client: Credentials, kind: AccessKind, path: string | undefined, method = ''): boolean {
    if (client.uid === 0 || path === undefined) return true;
    return this.#rules.some(
      (rule) =>
        rule.kind === kind &&
        concerns(rule, path) &&
        isMeant(rule.file, client) &&
        (kind !== 'access' || (rule.entry.methods ?? []).some((name) => name === '*' || name === method)),
    );
  }

  /** What `query` of the ACL object says of an object: its rules that carry an `acl` of their own. */
  rowsFor(path: string): BlobmsgInputTable[] {
    return this.#rules
      .filter((rule) => rule.entry.acl !== undefined && concerns(rule, path))
      .map(({ file, entry: { acl } }) => ({
        obj: path,
        user: file.user,
        group: file.user === undefined ? file.group : undefined,
        acl,
      }));
  }
}

function rulesFromFile(file: AccessFile): Rule[] {
  const rule = (kind: AccessKind, pattern: string, entry: AccessEntry): Rule => {
    const isPrefix = pattern.endsWith('*');
    return { kind, file, key: isPrefix ? pattern.slice(0, -1) : pattern, isPrefix, entry };
  };
  const access = Object.entries(file.access ?? {})
    .filter(([, { methods, tags, acl }]) => methods ?? tags ?? acl)
    .map(([pattern, entry]) => rule('access', pattern, entry));
  const lists = LISTS.flatMap((kind) => (file[kind] ?? []).map((pattern) => rule(kind, pattern, {})));
  return [...access, ...lists].filter(({ key, isPrefix }) => key !== '' || isPrefix);
}

function concerns({ key, isPrefix }: Rule, path: string): boolean {
  return isPrefix ? path.startsWith(key) : path === key;
}

function isMeant({ user, group }: AccessFile, client: Credentials): boolean {
  if (user !== undefined) return user === client.user;
  return group === client.group || (group !== undefined && client.groups?.includes(group) === true);
}
