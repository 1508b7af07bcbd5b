/**
 * A router in a folder: openwrt/files installed into it, with stand-ins for what OpenWrt brings (uci, nft, procd, logger).
 * The package's scripts are the real ones; only the absolute paths in them are led into the folder, so that neither root
 * nor a namespace is needed. With UCI naming a real uci, that one is used.
 */
import { execFile } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const FILES = fileURLToPath(new URL('../../../../openwrt/files/', import.meta.url));
const SUPPORT = fileURLToPath(new URL('./', import.meta.url));
const SCRIPTS = ['etc/init.d', 'etc/uci-defaults', 'etc/hotplug.d/ntp', 'usr/libexec/shareagent', 'lib/upgrade'];
const RELOADED = ['network', 'firewall', 'dnsmasq', 'odhcpd'];

/** The shells that our scripts must run in: OpenWrt's is busybox ash. */
export const SHELLS: readonly string[] = ['/bin/dash', '/usr/bin/busybox', '/bin/busybox'].filter(
  (path, i, all) => existsSync(path) && (i < 2 || !existsSync(all[1] ?? '')),
);

/** Stock configuration of a router with two radios, one UCI statement a line. */
export const STOCK: Readonly<Record<string, string>> = {
  network: `config interface 'lan'
option device 'br-lan'
option proto 'static'
option ipaddr '192.168.1.1'
config interface 'wan'
option device 'eth1'
option proto 'dhcp'
`,
  wireless: `config wifi-device 'radio0'
option type 'mac80211'
config wifi-iface 'default_radio0'
option device 'radio0'
option network 'lan'
option ssid 'Home'
config wifi-device 'radio1'
option type 'mac80211'
`,
  dhcp: `config dnsmasq
option domainneeded '1'
config dhcp 'lan'
option interface 'lan'
`,
  firewall: `config defaults
option input 'REJECT'
config zone
option name 'lan'
config zone
option name 'wan'
`,
  system: `config system
option zonename 'America/New York'
`,
  shareagent: `config agent 'agent'
option enabled '0'
config network 'network'
list guest_device 'br-guest'
`,
};

export type Ran = { readonly code: number; readonly stdout: string; readonly stderr: string };

export class Router {
  readonly root = mkdtempSync(join(tmpdir(), 'router-'));
  readonly #shell: string;
  readonly #env: Record<string, string>;

  /** @param shell one of SHELLS; @param config UCI packages beside or instead of the stock ones */
  constructor(shell: string, config: Readonly<Record<string, string>> = {}) {
    this.#shell = shell;
    cpSync(FILES, this.root, { recursive: true });
    for (const folder of SCRIPTS) {
      for (const name of readdirSync(join(this.root, folder), { withFileTypes: true })) {
        if (name.isFile()) this.#lead(`${folder}/${name.name}`);
      }
    }
    for (const [name, text] of Object.entries({ ...STOCK, ...config })) this.write(`etc/config/${name}`, text);
    this.write('usr/lib/shareagent/build-id', 'one\n');
    this.write('tmp/run', '');
    mkdirSync(join(this.root, 'nft'));
    for (const name of RELOADED) this.#tool(`etc/init.d/${name}`, `echo "${name} $1" >>"$ROUTER_ROOT/reloads"`);
    this.#tool('sbin/wifi', 'echo "wifi $1" >>"$ROUTER_ROOT/reloads"');
    this.#tool('bin/logger', 'echo "$*" >>"$ROUTER_ROOT/syslog"');
    this.#tool('bin/killall', 'echo "killall $*" >>"$ROUTER_ROOT/told"');
    // procd tells of the instance that runs; of that the init script asks for the watchdog's two numbers only.
    this.#tool('bin/ubus', '[ "$1 $2 $3" = "call service list" ] && cat "$ROUTER_ROOT/procd.instance" 2>/dev/null');
    this.#tool('bin/jsonfilter', "sed -n 's/^watchdog //p' | tr ' ' '\\n'");
    this.#tool('bin/reload_config', 'echo reload_config >>"$ROUTER_ROOT/reloads"');
    const realUci = process.env['UCI'];
    for (const name of ['uci', 'uci.awk', 'nft']) cpSync(join(SUPPORT, name), join(this.root, 'bin', name));
    if (realUci !== undefined)
      this.#tool('bin/uci', `exec ${realUci} -c "$UCI_CONFIG_DIR" -t "$ROUTER_ROOT/tmp/uci" "$@"`);
    // The agent: `config check` fails when a price is not a number.
    this.#tool(
      'usr/bin/shareagent',
      'echo "shareagent $*" >>"$ROUTER_ROOT/asked"; ! grep -q "per_mb .[^0-9]" "$UCI_CONFIG_DIR/shareagent" || { echo "price.per_mb: no number"; exit 1; }',
    );
    this.#env = {
      PATH: `${this.root}/bin:/usr/bin:/bin`,
      ROUTER_ROOT: this.root,
      UCI_CONFIG_DIR: `${this.root}/etc/config`,
      NFT_STATE: `${this.root}/nft`,
      TMPDIR: `${this.root}/tmp`,
    };
  }

  /** Runs a script of the package, e.g. `usr/libexec/shareagent/deny-table`. */
  run(script: string, args: readonly string[] = [], env: Readonly<Record<string, string>> = {}): Promise<Ran> {
    return this.#execute([join(this.root, script), ...args], env);
  }

  /** An action of the init script under stand-in procd. @returns what procd made of it, e.g. ['started'] */
  async service(action: string, env: Readonly<Record<string, string>> = {}): Promise<readonly string[]> {
    rmSync(join(this.root, 'procd.log'), { force: true });
    await this.#execute([join(SUPPORT, 'rc.common'), join(this.root, 'etc/init.d/shareagent'), action], env);
    return this.lines('procd.log').filter((line) => !line.startsWith('trigger'));
  }

  async uci(...args: readonly string[]): Promise<void> {
    const ran = await this.#execute([join(this.root, 'bin/uci'), ...args], {});
    if (ran.code !== 0) throw new Error(`uci ${args.join(' ')}: ${ran.stderr}`);
    const [name = ''] = (args[1] ?? '').split('.');
    await this.#execute([join(this.root, 'bin/uci'), 'commit', name], {});
  }

  modeOf(path: string): number {
    return statSync(join(this.root, path)).mode & 0o7777;
  }

  /** Every UCI package as `uci show` tells it. */
  async config(): Promise<Readonly<Record<string, string>>> {
    const names = Object.keys(STOCK);
    const texts = await Promise.all(names.map((name) => this.#execute([join(this.root, 'bin/uci'), 'show', name], {})));
    return Object.fromEntries(names.map((name, i) => [name, texts[i]?.stdout ?? '']));
  }

  read(path: string): string {
    return readFileSync(join(this.root, path), 'utf8');
  }

  write(path: string, text: string): void {
    mkdirSync(dirname(join(this.root, path)), { recursive: true });
    writeFileSync(join(this.root, path), text);
  }

  has(path: string): boolean {
    return existsSync(join(this.root, path));
  }

  lines(path: string): readonly string[] {
    return this.has(path)
      ? this.read(path)
          .split('\n')
          .filter((line) => line !== '')
      : [];
  }

  forget(path: string): void {
    rmSync(join(this.root, path), { force: true });
  }

  close(): void {
    rmSync(this.root, { recursive: true, force: true });
  }

  async #execute(command: readonly string[], env: Readonly<Record<string, string>>): Promise<Ran> {
    const shell = this.#shell.endsWith('busybox') ? [this.#shell, 'ash'] : [this.#shell];
    const [file = '', ...args] = [...shell, ...command];
    try {
      const { stdout, stderr } = await promisify(execFile)(file, args, {
        env: { ...this.#env, ...env },
        cwd: this.root,
      });
      return { code: 0, stdout, stderr };
    } catch (error) {
      const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
      return { code, stdout, stderr };
    }
  }

  /** Absolute paths of a script lead into the folder, and its interpreter is the shell under test. */
  #lead(path: string): void {
    const shell = this.#shell.endsWith('busybox') ? `${this.#shell} ash` : this.#shell;
    const [first = '', ...rest] = this.read(path).split('\n');
    const body = rest.join('\n').replace(/(^|[\s"'=:-])\/(etc|usr|var|sbin|tmp|lib)\//gm, `$1${this.root}/$2/`);
    this.write(path, `${first.startsWith('#!') ? `#!${shell}` : first}\n${body}`);
    chmodSync(join(this.root, path), 0o755);
  }

  #tool(path: string, body: string): void {
    this.write(path, `#!/bin/sh\n${body}\n`);
    chmodSync(join(this.root, path), 0o755);
  }
}
